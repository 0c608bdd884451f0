//! What an error means and what cures it, by its name. docs/ERRORS.md is the only place where that stands.

/// The document, as it was when this program was built.
const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

/// A row of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    means: &'static str,
    cure: &'static str,
}

/// The hosts of a refused call: they take the places of the document's letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hosts<'t> {
    /// Where the helper ran.
    pub here: Option<&'t str>,
    /// The new master.
    pub new: Option<&'t str>,
}

/// What the document says of an error.
pub fn of(code: &str) -> Option<Row> {
    ERRORS.lines().find_map(|line| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split(" | ").map(str::trim);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let (means, cure) = (cells.next()?, cells.next()?);
        (name == code).then_some(Row { means, cure })
    })
}

impl Row {
    /// What the error means.
    pub fn means(&self, hosts: Hosts) -> String {
        told(self.means, hosts)
    }

    /// What to do about it.
    pub fn cure(&self, hosts: Hosts) -> String {
        told(self.cure, hosts)
    }
}

/// A cell without its markup, with hosts in place of letters.
fn told(cell: &str, hosts: Hosts) -> String {
    let mut text = String::new();
    let mut is_letter_alone = true;
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        let is_alone = is_letter_alone && !chars.peek().is_some_and(|next| is_of_word(*next));
        is_letter_alone = !is_of_word(c);
        let host = match c {
            'R' if is_alone => Some(hosts.here.unwrap_or("this host")),
            'N' if is_alone => Some(hosts.new.unwrap_or("the new master")),
            'O' if is_alone => Some("the old master"),
            'P' if is_alone => Some("the peer"),
            _ => None,
        };
        match host {
            Some(host) => text.push_str(host),
            None if c == '`' => text.push('\''),
            None => text.push(c),
        }
    }
    without_links(&text)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || ['_', '-', '.'].contains(&c)
}

/// `[FAILOVER.md](FAILOVER.md), 2.8` as `docs/FAILOVER.md, 2.8`.
fn without_links(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.into() };
    let Some((_, rest)) = rest.split_once("](") else { return text.into() };
    let Some((target, behind)) = rest.split_once(')') else { return text.into() };
    format!("{before}docs/{target}{}", without_links(behind))
}

#[cfg(test)]
mod tests;
