//! All files of a configuration merged into one tree, in the order in which they are read: repeated
//! sections become one, later values win, lists are replaced and never appended to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::quirk::{Quirk, Warning, shown};
use super::words::{self, Kind};
use super::{ConfigError, Place, parse};

/// What all files together say.
#[derive(Debug, Default)]
pub struct Tree {
    /// The variables outside any section.
    pub top: Entries,
    /// The sections by kind and name; a unique section's name is empty.
    pub sections: BTreeMap<(Kind, String), Section>,
    /// What was accepted on the way.
    pub warnings: Vec<Warning>,
}

/// The variables of one place by name.
pub type Entries = BTreeMap<&'static str, Entry>;

/// A section with everything that was merged into it.
#[derive(Debug)]
pub struct Section {
    /// Where it was first opened.
    pub place: Place,
    /// Its variables.
    pub entries: Entries,
}

/// A variable's value.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value, or each item of a list.
    pub value: Value,
    /// Where it was set.
    pub place: Place,
}

/// A value's bytes, in whatever encoding the file has.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    /// As written.
    One(Vec<u8>),
    /// Split at the commas.
    List(Vec<Vec<u8>>),
}

impl Entry {
    /// A value's bytes; nothing for a list.
    pub fn bytes(&self) -> &[u8] {
        match &self.value {
            Value::One(bytes) => bytes,
            Value::List(_) => &[],
        }
    }

    /// The value, or the items of a list.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        let values = match &self.value {
            Value::One(bytes) => std::slice::from_ref(bytes),
            Value::List(items) => items,
        };
        values.iter().map(Vec::as_slice)
    }

    /// True for a value of just this word.
    pub fn is(&self, word: &str) -> bool {
        self.bytes() == word.as_bytes()
    }
}

impl Tree {
    /// The section of this kind and name.
    pub fn section(&self, kind: Kind, name: &str) -> Option<&Section> {
        self.sections.get(&(kind, name.into()))
    }

    /// Sections of one kind, in the order of their names.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Section)> + Clone {
        let first = (kind, String::new());
        self.sections
            .range(first..)
            .take_while(move |((each, _), _)| *each == kind)
            .map(|((_, name), section)| (name.as_str(), section))
    }

    /// Sets a variable that stands outside any section.
    pub fn set(&mut self, file: &Arc<Path>, variable: &parse::Variable) -> Result<(), ConfigError> {
        set(&mut self.top, &mut self.warnings, (None, ""), file, variable)
    }

    /// Merges one file's section.
    pub fn merge(&mut self, file: &Arc<Path>, section: &parse::Section) -> Result<(), ConfigError> {
        let place = Place { file: Arc::clone(file), line: section.line };
        let Some(kind) = Kind::of(&section.kind) else {
            return Err(ConfigError::InvalidSection {
                name: section.kind.clone(),
                place,
                hint: " Remove or correct it".into(),
            });
        };
        let name = match &section.name {
            None if kind.is_named() => return Err(ConfigError::NoSectionName { kind: kind.word(), place }),
            Some(_) if !kind.is_named() => {
                return Err(ConfigError::UnexpectedSectionName { kind: kind.word(), place });
            }
            name => name.clone().unwrap_or_default(),
        };
        self.note_section(kind, &name, &place);
        let merged = self
            .sections
            .entry((kind, name.clone()))
            .or_insert_with(|| Section { place, entries: Entries::new() });
        section.variables.iter().try_for_each(|variable| {
            set(&mut merged.entries, &mut self.warnings, (Some(kind), &name), file, variable)
        })
    }

    fn note_section(&mut self, kind: Kind, name: &str, place: &Place) {
        let quirk = match self.sections.get(&(kind, name.into())) {
            Some(section) => {
                let section_name = format!("{} {name}", kind.word());
                Quirk::Repeated { section: section_name.trim_end().into(), before: section.place.clone() }
            }
            None if kind == Kind::Host && name == "default" && self.of(kind).next().is_some() => {
                Quirk::LateTemplate
            }
            None if kind == Kind::Role && name == "default" => Quirk::RoleDefault,
            None => return,
        };
        self.warnings.push(Warning { place: place.clone(), quirk });
    }
}

/// Sets a variable among `entries`, those of a section of this kind and name.
fn set(
    entries: &mut Entries,
    warnings: &mut Vec<Warning>,
    (kind, name): (Option<Kind>, &str),
    file: &Arc<Path>,
    variable: &parse::Variable,
) -> Result<(), ConfigError> {
    let place = Place { file: Arc::clone(file), line: variable.line };
    let Some(key) = words::variable(kind, &variable.key) else {
        let is_section =
            kind.is_none() && std::str::from_utf8(&variable.key).is_ok_and(|key| Kind::of(key).is_some());
        let name = shown(&variable.key);
        return Err(if is_section {
            ConfigError::NotAVariable { name, place }
        } else {
            ConfigError::UnknownVariable { name, place }
        });
    };
    let mut warn = |quirk| warnings.push(Warning { place: place.clone(), quirk });
    let value = if words::is_list(key) {
        let items = split(&variable.value);
        if items.iter().any(|item| item.is_empty()) || variable.value.last() == Some(&b',') {
            warn(Quirk::EmptyItem { entry: entry_name(kind, name, key) });
        }
        if items.iter().any(|item| item.iter().copied().any(parse::is_blank)) {
            warn(Quirk::BlankInItem { entry: entry_name(kind, name, key) });
        }
        Value::List(items.into_iter().map(Into::into).collect())
    } else {
        Value::One(variable.value.clone())
    };
    if let Some(before) = entries.get(key).filter(|before| before.value != value) {
        warn(Quirk::Replaced { entry: entry_name(kind, name, key), before: before.place.clone() });
    }
    entries.insert(key, Entry { value, place });
    Ok(())
}

/// `host->db2->ip`, as the Perl agent names an entry.
pub fn entry_name(kind: Option<Kind>, name: &str, key: &str) -> String {
    match kind {
        None => key.into(),
        Some(kind) if name.is_empty() => format!("{}->{key}", kind.word()),
        Some(kind) => format!("{}->{name}->{key}", kind.word()),
    }
}

/// Splits at commas with the blanks around them; empty items at the end are none.
fn split(value: &[u8]) -> Vec<&[u8]> {
    let mut items: Vec<_> = value.split(|&byte| byte == b',').map(parse::trimmed).collect();
    while items.last().is_some_and(|item| item.is_empty()) {
        items.pop();
    }
    items
}
