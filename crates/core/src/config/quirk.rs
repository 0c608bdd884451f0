//! What the language accepts and hardly anybody means. Each quirk is taken as the Perl agent takes it, with
//! a warning. No warning shows a value, since it may be a password.

use std::fmt;

use super::Place;

/// A quirk and its file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What.
    pub quirk: Quirk,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place.file.display(), self.place.line, self.quirk)
    }
}

/// Something accepted that is probably not meant (docs/CONTRACT.md, 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// `key value # words`
    TrailingComment { key: String },
    /// `key ` with a blank and no value.
    EmptyValue { key: String },
    /// `key = value`
    EqualsSign { key: String },
    /// `key "value"`
    Quotes { key: String },
    /// CR within a line: most likely a file whose lines end in CR alone.
    CarriageReturn,
    /// Lines that end in CR LF.
    WindowsLines,
    /// `< host  a >`
    BlanksInTag,
    /// `</role>` for `<host a>`
    OtherEnd { open: String, end: String },
    /// An end tag outside any section.
    StrayEnd { kind: String },
    /// A section without an end tag at the file's end.
    Unclosed { kind: String },
    /// A section that another file, or this one, has opened before.
    Repeated { section: String, before: Place },
    /// A value that takes the place of another one.
    Replaced { entry: String, before: Place },
    /// A comma with nothing before it or after it.
    EmptyItem { entry: String },
    /// Blanks where a comma is likely to be missing.
    BlankInItem { entry: String },
    /// `<host default>` after a host.
    LateTemplate,
    /// `<role default>`
    RoleDefault,
    /// `peer` naming its own host.
    OwnPeer { host: String },
    /// Two hosts with one address and port.
    SharedAddress { first: String, second: String },
    /// `mysql_port 3306 # words`
    PortPrefix { entry: String, port: u16 },
    /// `mysql_port ` without a value.
    DefaultPort { entry: String },
    /// `max_kill_retries` that is no whole number.
    Retries { taken: i64 },
    /// Only one of the two iptables commands is set.
    HalfBlocking { set: &'static str, missing: &'static str },
    /// `type ssl` without what it needs.
    NoCertificate { entry: &'static str },
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrailingComment { key } => {
                write!(f, "the # belongs to the value of {key}; a comment needs a line of its own")
            }
            Self::EmptyValue { key } => write!(f, "{key} is set to nothing"),
            Self::EqualsSign { key } => write!(f, "the = belongs to the value of {key}; write: {key} value"),
            Self::Quotes { key } => write!(f, "the quotes belong to the value of {key}"),
            Self::CarriageReturn => f.write_str("a carriage return within the line does not end it"),
            Self::WindowsLines => f.write_str("the file has Windows line ends"),
            Self::BlanksInTag => f.write_str("the tag has more blanks than it needs"),
            Self::OtherEnd { open, end } => write!(f, "</{end}> closes the section <{open}>"),
            Self::StrayEnd { kind } => {
                write!(f, "</{kind}> closes nothing: the rest of the file is ignored")
            }
            Self::Unclosed { kind } => {
                write!(f, "the section <{kind}> has no end tag; the file's end ends it")
            }
            Self::Repeated { section, before } => {
                write!(f, "<{section}> is merged into the one in {before}; what is set here wins")
            }
            Self::Replaced { entry, before } => write!(f, "{entry} replaces the value set in {before}"),
            Self::EmptyItem { entry } => write!(f, "the list {entry} has a comma too many"),
            Self::BlankInItem { entry } => {
                write!(f, "an item of the list {entry} holds a blank; items are separated by commas")
            }
            Self::LateTemplate => f.write_str("<host default> applies to the hosts above it as well"),
            Self::RoleDefault => f.write_str("<role default> is a role of that name, not a template"),
            Self::OwnPeer { host } => write!(f, "host {host} is its own peer"),
            Self::SharedAddress { first, second } => {
                write!(f, "hosts {first} and {second} have the same ip and mysql_port")
            }
            Self::PortPrefix { entry, port } => {
                write!(f, "{entry} is taken as {port}; what follows the number is ignored")
            }
            Self::DefaultPort { entry } => write!(f, "{entry} has no number and is taken as 3306"),
            Self::Retries { taken } => {
                write!(f, "max_kill_retries is no whole number and is taken as {taken}")
            }
            Self::HalfBlocking { set, missing } => {
                write!(f, "{set} is set and {missing} is not: does the default undo it?")
            }
            Self::NoCertificate { entry } => write!(f, "socket type ssl needs {entry}"),
        }
    }
}

/// A word of a file as a message may show it: what could be a mistyped `password=…` ends at the sign.
pub fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let end = bytes.iter().position(|byte| matches!(byte, b'=' | b':' | b'"' | b'\'')).unwrap_or(bytes.len());
    let text: String = String::from_utf8_lossy(&bytes[..end]).chars().take(MOST).collect();
    if text.len() < bytes.len() && bytes.is_ascii() { text + "…" } else { text }
}

#[cfg(test)]
mod tests;
