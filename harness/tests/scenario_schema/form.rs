//! Whether a value has the form that a schema of scenarios describes; knows the keywords of that schema alone.

use serde_json::Value;

/// What is wrong, with the path to it.
pub(crate) type Checked = Result<(), String>;

/// Checks `value` against `schema`; references are looked up in `root`.
pub(crate) fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference
            .strip_prefix("#/$defs/")
            .expect("references stay in the file");
        return check(root, &root["$defs"][name], value, path);
    }
    let list = |name: &str| schema[name].as_array();
    let holds = |of: &Value| check(root, of, value, path).is_ok();
    if let Some(words) = list("enum").filter(|words| !words.contains(value)) {
        return Err(format!("{path}: {value} is none of {words:?}"));
    }
    if let Some(any) = list("anyOf").filter(|any| !any.iter().any(holds)) {
        return Err(format!("{path}: none of {} forms", any.len()));
    }
    if let Some(one) = list("oneOf") {
        let met = one.iter().filter(|of| holds(of)).count();
        if met != 1 {
            return Err(format!("{path}: {met} forms instead of one"));
        }
    }
    if schema.get("not").is_some_and(holds) {
        return Err(format!("{path}: a form that must not be"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !value.as_str().is_some_and(|text| matches(pattern, text))
    {
        return Err(format!("{path}: {value} against {pattern}"));
    }
    match schema["type"].as_str() {
        Some("string") if !value.is_string() => Err(format!("{path}: {value} is no text")),
        Some("array") => {
            let items = value.as_array().ok_or_else(|| format!("{path}: no list"))?;
            if items.len() < schema["minItems"].as_u64().unwrap_or(0) as usize {
                return Err(format!("{path}: too short a list"));
            }
            let of = schema.get("items").unwrap_or(&Value::Null);
            let mut items = items.iter().enumerate();
            items.try_for_each(|(at, item)| check(root, of, item, &format!("{path}[{at}]")))
        }
        Some("object") if !value.is_object() => Err(format!("{path}: no mapping")),
        _ => members(root, schema, value, path),
    }
}

fn members(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    let Some(value) = value.as_object() else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !value.contains_key(name.as_str().expect("names are texts")) {
            return Err(format!("{path}: {name} is missing"));
        }
    }
    for (name, member) in value {
        let path = format!("{path}.{name}");
        let by_pattern = schema["patternProperties"]
            .as_object()
            .into_iter()
            .flatten();
        let mut by_pattern = by_pattern.filter(|(pattern, _)| matches(pattern, name));
        let of = schema["properties"]
            .get(name)
            .or(by_pattern.next().map(|(_, of)| of));
        match (of, schema.get("additionalProperties")) {
            (Some(of), _) => check(root, of, member, &path)?,
            (None, Some(Value::Bool(false))) => return Err(format!("{path}: unknown")),
            (None, Some(of)) => check(root, of, member, &path)?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// The few patterns that the schema has.
fn matches(pattern: &str, text: &str) -> bool {
    let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    match pattern {
        "\\$" => text.contains('$'),
        "^\\$" => text.starts_with('$'),
        "^len-[0-9]+$" => text
            .strip_prefix("len-")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())),
        "^[a-z0-9][a-z0-9-]*$" => {
            text.starts_with(is_id) && text.chars().all(|c| is_id(c) || c == '-')
        }
        other => panic!("pattern {other} is not known to this test"),
    }
}
