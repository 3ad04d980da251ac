//! Walks a value along a schema of this crate, which use few keywords; this knows exactly those.

use std::collections::BTreeSet;

use serde_json::Value;

/// Compares a value with its schema. `exact` also demands that every known key is there.
pub(crate) fn compare(root: &Value, schema: &Value, value: &Value, exact: bool, path: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference
            .strip_prefix("#/$defs/")
            .expect("references stay in the file");
        let target = &root["$defs"][name];
        assert!(target.is_object(), "{path}: no definition named {name}");
        return compare(root, target, value, exact, path);
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{path}");
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(
            words.contains(value),
            "{path}: {value} is none of {words:?}"
        );
    }
    match schema["type"].as_str() {
        Some("object") => compare_object(root, schema, value, exact, path),
        Some("array") => {
            let fixed = schema["prefixItems"].as_array();
            for (i, item) in value.as_array().expect(path).iter().enumerate() {
                let of = fixed.map_or(&schema["items"], |fixed| &fixed[i]);
                compare(root, of, item, exact, &format!("{path}[{i}]"));
            }
        }
        Some("string") => assert!(value.is_string(), "{path}"),
        Some("integer") => assert!(value.is_u64(), "{path}"),
        Some("number") => assert!(value.is_number(), "{path}"),
        Some("boolean") => assert!(value.is_boolean(), "{path}"),
        Some(other) => panic!("{path}: type {other} is not known to this test"),
        None if schema["type"].is_array() => {
            let known = Value::from(["integer", "null"].map(Value::from).to_vec());
            assert_eq!(schema["type"], known, "{path}");
            assert!(value.is_u64() || value.is_null(), "{path}");
        }
        None => assert!(
            schema.get("const").or(schema.get("enum")).is_some(),
            "{path}: no type"
        ),
    }
}

fn compare_object(root: &Value, schema: &Value, value: &Value, exact: bool, path: &str) {
    let value = value.as_object().expect(path);
    if let Some(of) = schema.get("additionalProperties") {
        for (key, member) in value {
            compare(root, of, member, exact, &format!("{path}.{key}"));
        }
        return;
    }
    let keys: BTreeSet<&str> = value.keys().map(String::as_str).collect();
    let properties = schema["properties"].as_object().expect(path);
    let known: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .expect(path)
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if exact {
        assert_eq!(keys, known, "{path}: keys of the type, keys of the schema");
    } else {
        assert!(keys.is_subset(&known), "{path}: {keys:?} against {known:?}");
    }
    assert!(
        required.is_subset(&keys),
        "{path}: {required:?} against {keys:?}"
    );
    for (key, member) in value {
        compare(
            root,
            &properties[key],
            member,
            exact,
            &format!("{path}.{key}"),
        );
    }
}
