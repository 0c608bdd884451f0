//! A journal of the helpers, as `mmm_journal` shows it.

use mmm_core::escape::is_obeyed;
use mmm_core::report::Format;
use mmm_tools::fuzzed::{is_line, journal};
use serde_json::Value;

use crate::memory;

/// No line is looked at any further.
const LONGEST_LINE: usize = 64 << 10;

pub fn read(input: &[u8]) {
    let file = memory::file(input);
    let path = memory::path(&file);
    let shown = |all, format| {
        let bytes = journal(&path, all, format).unwrap_or_else(|error| panic!("{error}"));
        let text = String::from_utf8(bytes).expect("UTF-8");
        let obeyed = text.chars().find(|c| *c != '\n' && is_obeyed(*c));
        assert_eq!(obeyed, None, "a terminal would obey it");
        text
    };
    let lines: Vec<_> = input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.len() < LONGEST_LINE));
    let unreadable = lines.iter().filter(|line| !is_line(&String::from_utf8_lossy(line))).count();
    for all in [false, true] {
        let document: Value = serde_json::from_str(&shown(all, Format::Json)).expect("JSON");
        assert_eq!(document["unreadable_lines"], unreadable, "what cannot be read is counted");
        let items = document["timeline"].as_array().expect("a list");
        assert!(items.len() <= lines.len());
        let yaml: Value = serde_yaml::from_str(&shown(all, Format::Yaml)).expect("YAML");
        assert_eq!(rounded(yaml), rounded(document), "YAML and JSON have the same");
        let text = shown(all, Format::Text);
        let told = text.contains(" of the journal could not be read.");
        assert!(unreadable == 0 || told, "{text}");
    }
}

/// With numbers as text: the readers of the two differ in the last bits of a fraction.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => format!("{:.3}", number.as_f64().unwrap_or(f64::NAN)).into(),
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}
