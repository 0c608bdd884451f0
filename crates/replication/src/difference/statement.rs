//! A statement for a person: on one line, not too long, and without a password.

use mmm_core::escape;

/// How much of a statement is examined.
const LOOKED_AT: usize = 4096;
/// How much of it is shown, in characters.
const SHOWN: usize = 160;
/// The words before or beside a password or a key.
const SECRETS: [&str; 12] = [
    "identified",
    "password",
    "passwd",
    "authentication_string",
    "global_priv",
    "mysql.user",
    "mysql`.`user",
    "mysql.servers",
    "mysql`.`servers",
    "aes_encrypt",
    "aes_decrypt",
    "des_encrypt",
];
/// Statements that are hidden whatever follows these words.
const OF_ACCOUNTS: [[&str; 2]; 8] = [
    ["CREATE", "USER"],
    ["ALTER", "USER"],
    ["SET", "PASSWORD"],
    ["CREATE", "SERVER"],
    ["ALTER", "SERVER"],
    ["CREATE", "ROLE"],
    ["CHANGE", "MASTER"],
    ["CHANGE", "REPLICATION"],
];

/// The statement for a person.
pub fn shortened(text: &[u8]) -> String {
    let is_whole = text.len() <= LOOKED_AT;
    let text = String::from_utf8_lossy(&text[..text.len().min(LOOKED_AT)]);
    if let Some(words) = hidden(&text) {
        return words;
    }
    let line = escape::words(&text);
    let mut shown: String = line.chars().take(SHOWN).collect();
    if !is_whole || shown.len() < line.len() {
        shown.push('…');
    }
    shown
}

/// What is shown of a statement that may hold a password.
fn hidden(text: &str) -> Option<String> {
    let words = first_words(text);
    let [first, second, third, fourth] = &words;
    let object = if [second.as_str(), third.as_str()] == ["OR", "REPLACE"] { fourth } else { second };
    if OF_ACCOUNTS.iter().any(|[verb, of]| verb == first && of == object) {
        return Some(format!("{first} {object} ***"));
    }
    holds_secret(text).then(|| if first.is_empty() { "***".into() } else { format!("{first} ***") })
}

fn holds_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRETS.iter().any(|secret| text.contains(secret))
}

/// The first four words in capital letters, without comments. From the first thing that is not a word, they are empty.
fn first_words(text: &str) -> [String; 4] {
    let (mut words, mut rest) = ([const { String::new() }; 4], text);
    for word in &mut words {
        rest = behind_comments(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        if end == 0 || end > 20 {
            break;
        }
        *word = rest[..end].to_ascii_uppercase();
        rest = &rest[end..];
    }
    words
}

/// What comes after blanks and comments; of a comment that servers execute, its text.
fn behind_comments(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(executed) = rest.strip_prefix("/*!").or_else(|| rest.strip_prefix("/*M!")) {
            rest = executed.trim_start_matches(|c: char| c.is_ascii_digit());
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
        } else if rest.starts_with('#') || rest.starts_with("-- ") {
            rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
        } else {
            return rest.strip_prefix("*/").map_or(rest, behind_comments);
        }
    }
}

#[cfg(test)]
mod tests;
