//! A manual page: what `--help` says, rendered, and behind it what was written by hand.

use std::fmt::Write;

use clap::Command;
use clap_mangen::Man;
use mmm_core::Program;

const SOURCE: &str = concat!("mmm-agent-helpers ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "MySQL-MMM agent helpers";

/// Of a helper, for section 8.
pub fn helper(program: &Program, own: &str, of_every_helper: &str) -> String {
    let mut page = generated(program.command(), "8");
    page += ".SH \"EXIT STATUS\"\nThe last line of standard output, and the exit code:\n";
    for result in program.prints.lines() {
        let (line, meaning) = result.trim().split_once("  ").unwrap_or((result.trim(), ""));
        let _ = writeln!(page, ".TP\n.B {}\n{}", roff(line), roff(meaning.trim()));
    }
    let _ = writeln!(page, ".SH EXAMPLES\n.EX\n{}\n.EE", roff(program.example));
    let not_itself = of_every_helper.replace(&format!(".BR {} (8),\n", program.name), "");
    ascii(&(page + own + &not_itself))
}

/// Of a tool, for section 1.
pub fn tool(command: Command, own: &str) -> String {
    ascii(&(generated(command, "1") + own))
}

/// Of the settings, for section 5.
pub fn settings(own: &str) -> String {
    ascii(&(title("mmm_helpers.yaml", "5") + own))
}

fn title(name: &str, section: &str) -> String {
    // Without a date: the same sources give the same page.
    format!(".TH {} {section} \"\" \"{SOURCE}\" \"{MANUAL}\"\n", name.to_uppercase())
}

fn generated(mut command: Command, section: &str) -> String {
    let usage = command.render_usage().to_string();
    let name = command.get_name().to_string();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command);
    let mut rendered = Vec::new();
    man.render_description_section(&mut rendered)
        .and_then(|()| man.render_options_section(&mut rendered))
        .expect("memory takes what is written");
    // Each section defines again what groff and mandoc know anyway, and lists have needless breaks.
    let rendered: String = String::from_utf8_lossy(&rendered)
        .lines()
        .filter(|line| {
            !line.starts_with(".ie \\n(.g .ds Aq") && !line.starts_with(".el .ds Aq") && *line != ".br"
        })
        .map(|line| line.replace("\\*(Aq", "\\(aq") + "\n")
        .collect();
    let head = format!("{}.SH NAME\n{name} \\- {}\n", title(&name, section), roff(&briefly(&about)));
    let words = usage.trim_start_matches("Usage:").trim().strip_prefix(&name).unwrap_or_default();
    format!("{head}.SH SYNOPSIS\n.B {name}\n{}\n{rendered}", roff(words.trim()))
}

/// The beginning of a description, for `whatis`: its first sentence, or less.
fn briefly(about: &str) -> String {
    let end = about.find(['.', '?', ':', ';']).unwrap_or(about.len());
    // Parentheses are never cut in half.
    let whole = about[..end].rfind('(').filter(|open| !about[*open..end].contains(')'));
    let mut chars = about[..whole.unwrap_or(end)].trim_end().chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

/// Text with all markup escaped.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

/// Any other character by its number, which every formatter understands.
fn ascii(text: &str) -> String {
    text.chars().fold(String::new(), |mut ascii, c| {
        let _ = if c.is_ascii() { write!(ascii, "{c}") } else { write!(ascii, "\\[u{:04X}]", u32::from(c)) };
        ascii
    })
}

#[cfg(test)]
mod tests;
