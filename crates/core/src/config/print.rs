//! A tree as text: what [`parse`](super::parse::parse) must read as the same tree. Nothing but tests needs it.

use super::parse::{Document, Item, Variable};

/// Writes a tree as text that [`parse`] reads as the same tree, everything on the line that it had.
pub fn print(document: &Document) -> Vec<u8> {
    let mut printer = Printer { text: Vec::new(), line: 1 };
    for item in &document.items {
        match item {
            Item::Variable(variable) => printer.variable(variable),
            Item::Include { line, name } => printer.line(*line, &[b"include ", name]),
            Item::Section(section) if section.variables.is_empty() => {
                printer.line(section.line, &[section.start_tag("/").as_bytes()]);
            }
            Item::Section(section) => {
                printer.line(section.line, &[section.start_tag("").as_bytes()]);
                section.variables.iter().for_each(|variable| printer.variable(variable));
                printer.line(0, &[b"</", section.kind.as_bytes(), b">"]);
            }
        }
    }
    printer.text
}

struct Printer {
    text: Vec<u8>,
    line: usize,
}

impl Printer {
    /// Writes one line, on line `at` of the text unless that has passed.
    fn line(&mut self, at: usize, parts: &[&[u8]]) {
        while self.line < at {
            self.text.push(b'\n');
            self.line += 1;
        }
        self.text.extend(parts.concat());
        self.text.push(b'\n');
        self.line += 1;
    }

    fn variable(&mut self, variable: &Variable) {
        self.line(variable.line, &[&variable.key, b" ", &variable.value]);
    }
}
