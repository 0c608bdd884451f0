use serde_json::Value;

use super::super::sample::look;

fn documents() -> (Value, Value) {
    let report = look(|cluster| cluster.quirks.push("a: 'b' \"c\"".into()));
    let yaml = serde_yaml::to_string(&report).unwrap();
    (serde_json::to_value(&report).unwrap(), serde_yaml::from_str(&yaml).unwrap())
}

#[test]
fn json_and_yaml_say_the_same() {
    let (json, yaml) = documents();
    assert_eq!(json, yaml);
    assert_eq!((&json["result"], &json["exit_code"]), (&Value::from("warning"), &Value::from(1)));
    assert_eq!(json["checks"][0]["findings"][0]["code"], "config-quirk");
}

#[test]
fn every_key_of_the_document_is_documented() {
    fn keys(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    all.push(key.clone());
                    keys(value, all);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    keys(&documents().0, &mut all);
    let text = include_str!("../../../../../docs/PREFLIGHT.md");
    for key in all {
        assert!(text.contains(&format!("`{key}`")), "docs/PREFLIGHT.md lacks {key}");
    }
}
