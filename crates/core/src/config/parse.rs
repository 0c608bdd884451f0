//! One file's text as a tree: variables, includes and sections in the order of their lines.
//!
//! Pure: no file is opened, no variable is known, and no bytes make it fail. It stops at the first line
//! that does not belong to the language and says so in [`Parsed::fault`]; what is above that line counts.

use super::HostName;
use super::quirk::{Quirk, shown};

/// What a file says, in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Everything outside the sections, and the sections.
    pub items: Vec<Item>,
}

/// One thing that a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `key value`
    Variable(Variable),
    /// `include name`
    Include {
        /// The line, counted from 1.
        line: usize,
        /// The file's name, as written.
        name: Vec<u8>,
    },
    /// `<kind name>` up to its end tag, or `<kind name/>`.
    Section(Section),
}

/// A section of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The line of its start tag, counted from 1.
    pub line: usize,
    /// `host`, `monitor`: ASCII letters, digits, `_` and `-`.
    pub kind: String,
    /// Its name, of the same letters.
    pub name: Option<String>,
    /// What it sets.
    pub variables: Vec<Variable>,
}

/// `key value`. The bytes are kept as they are, whatever their encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The line, counted from 1.
    pub line: usize,
    /// The first word of the line.
    pub key: Vec<u8>,
    /// The rest of it, without the blanks at its ends; may be empty.
    pub value: Vec<u8>,
}

/// The result of reading a file's text.
#[derive(Debug, Default)]
pub struct Parsed {
    /// What it says, up to the fault.
    pub document: Document,
    /// What is accepted and most likely not meant, by line.
    pub quirks: Vec<(usize, Quirk)>,
    /// The line at which the Perl agent dies, if there is one.
    pub fault: Option<(usize, Fault)>,
}

/// Why a line cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One word, or a tag that is none.
    InvalidLine,
    /// The file begins with U+FEFF in UTF-8.
    ByteOrderMark,
    /// A start tag inside a section.
    NestedSection {
        /// Its kind.
        kind: String,
        /// The kind of the section that is still open.
        open: String,
        /// The line that opened it.
        since: usize,
    },
    /// `include` inside a section.
    NestedInclude,
}

/// One line, by itself.
enum Line<'a> {
    Nothing,
    End(&'a str),
    Include(&'a [u8]),
    Start { kind: &'a str, name: Option<&'a str>, is_empty: bool },
    Variable { key: &'a [u8], value: &'a [u8] },
    Invalid,
}

/// Reads a file's text. Lines end at LF alone; CR is a blank.
pub fn parse(text: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let first_line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if from_first_word(first_line).starts_with(b"\xef\xbb\xbf") {
        parsed.fault = Some((1, Fault::ByteOrderMark));
        return parsed;
    }
    if text.windows(2).any(|pair| pair == b"\r\n") {
        parsed.quirks.push((1, Quirk::WindowsLines));
    }
    let mut open: Option<Section> = None;
    for (index, bytes) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        if trimmed(bytes).contains(&b'\r') {
            parsed.quirks.push((line, Quirk::CarriageReturn));
        }
        match classify(bytes) {
            Line::Nothing => {}
            Line::Invalid => return parsed.ended(open, Some((line, Fault::InvalidLine))),
            Line::End(kind) => {
                parsed.note_blanks_in_tag(line, bytes, || format!("</{kind}>"));
                let Some(section) = open.take() else {
                    parsed.quirks.push((line, Quirk::StrayEnd { kind: kind.into() }));
                    return parsed;
                };
                if section.kind != kind {
                    let open = section.kind.clone();
                    parsed.quirks.push((line, Quirk::OtherEnd { open, end: kind.into() }));
                }
                parsed.document.items.push(Item::Section(section));
            }
            Line::Include(_) if open.is_some() => {
                return parsed.ended(open, Some((line, Fault::NestedInclude)));
            }
            Line::Include(name) => parsed.document.items.push(Item::Include { line, name: name.into() }),
            Line::Start { kind, name, is_empty } => {
                if let Some(outer) = &open {
                    let fault = Fault::NestedSection {
                        kind: kind.into(),
                        open: outer.kind.clone(),
                        since: outer.line,
                    };
                    return parsed.ended(open, Some((line, fault)));
                }
                let section =
                    Section { line, kind: kind.into(), name: name.map(Into::into), variables: Vec::new() };
                if is_empty {
                    parsed.document.items.push(Item::Section(section));
                } else {
                    parsed.note_blanks_in_tag(line, bytes, || section.start_tag(""));
                    open = Some(section);
                }
            }
            Line::Variable { key, value } => {
                parsed.note_value(line, key, value);
                let variable = Variable { line, key: key.into(), value: value.into() };
                match &mut open {
                    Some(section) => section.variables.push(variable),
                    None => parsed.document.items.push(Item::Variable(variable)),
                }
            }
        }
    }
    parsed.ended(open, None)
}

impl Parsed {
    /// The end of the text, or the line at which reading stops. A section that is still open counts as it is.
    fn ended(mut self, open: Option<Section>, fault: Option<(usize, Fault)>) -> Self {
        if let Some(section) = open {
            if fault.is_none() {
                self.quirks.push((section.line, Quirk::Unclosed { kind: section.kind.clone() }));
            }
            self.document.items.push(Item::Section(section));
        }
        self.fault = fault;
        self
    }

    fn note_blanks_in_tag(&mut self, line: usize, bytes: &[u8], canonical: impl FnOnce() -> String) {
        if trimmed(bytes) != canonical().as_bytes() {
            self.quirks.push((line, Quirk::BlanksInTag));
        }
    }

    fn note_value(&mut self, line: usize, key: &[u8], value: &[u8]) {
        let mut note = |quirk: fn(String) -> Quirk| self.quirks.push((line, quirk(shown(key))));
        let is_comment = |pair: &[u8]| is_blank(pair[0]) && pair[1] == b'#';
        if value.is_empty() {
            note(|key| Quirk::EmptyValue { key });
        }
        if value.first() == Some(&b'#') || value.windows(2).any(is_comment) {
            note(|key| Quirk::TrailingComment { key });
        }
        if value.first() == Some(&b'=') {
            note(|key| Quirk::EqualsSign { key });
        }
        if let [first @ (b'"' | b'\''), .., last] = value
            && first == last
        {
            note(|key| Quirk::Quotes { key });
        }
    }
}

/// The tests come in the order of docs/CONTRACT.md, 4.2, since a line may pass several of them.
fn classify(bytes: &[u8]) -> Line<'_> {
    let text = trimmed(bytes);
    if text.first().is_none_or(|&first| first == b'#') {
        return Line::Nothing;
    }
    if let Some(kind) = text.strip_prefix(b"</").and_then(|rest| rest.strip_suffix(b">")).and_then(word) {
        return Line::End(kind);
    }
    if let Some(rest) = text.strip_prefix(b"include")
        && rest.first().copied().is_some_and(is_blank)
        && !trimmed(rest).iter().copied().any(is_blank)
    {
        return Line::Include(trimmed(rest));
    }
    if let Some(inner) = text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) {
        let (inner, is_empty) = match inner.strip_suffix(b"/") {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let mut words = inner.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty()).map(word);
        match (words.next(), words.next(), words.next()) {
            (Some(Some(kind)), None, None) => return Line::Start { kind, name: None, is_empty },
            (Some(Some(kind)), Some(name @ Some(_)), None) => return Line::Start { kind, name, is_empty },
            _ => {}
        }
    }
    // Blanks at the line's end count here: `this` alone is no variable, `this ` is an empty one.
    let rest = from_first_word(bytes);
    match rest.iter().position(|&byte| is_blank(byte)) {
        Some(end) => Line::Variable { key: &rest[..end], value: trimmed(&rest[end..]) },
        None => Line::Invalid,
    }
}

/// A word of ASCII letters, digits, `_` and `-`, with blanks around it or not.
fn word(bytes: &[u8]) -> Option<&str> {
    let word = std::str::from_utf8(trimmed(bytes)).ok()?;
    HostName::new(word).map(|_| word)
}

/// Space, tab, CR, LF, VT and FF; never a byte from 0x80 on.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Without the blanks at both ends.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = from_first_word(bytes);
    let end = bytes.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn from_first_word(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_blank(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

impl Section {
    /// `<kind name>`, or with a slash `<kind name/>`.
    pub fn start_tag(&self, slash: &str) -> String {
        match &self.name {
            Some(name) => format!("<{} {name}{slash}>", self.kind),
            None => format!("<{}{slash}>", self.kind),
        }
    }
}

#[cfg(test)]
mod tests;
