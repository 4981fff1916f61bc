//! As much of JSON Schema as the description uses. Objects are closed: what is not described may not be answered.

use serde_json::Value;

/// Whether a value is as its schema says; otherwise what is wrong, and where.
pub(crate) fn check(description: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    at(description, schema, value, "$")
}

fn at(description: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let Some(rules) = schema.as_object() else { return Ok(()) };
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        let named = description.pointer(pointer).unwrap_or_else(|| panic!("no {reference}"));
        return at(description, named, value, place);
    }
    for any in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[any].as_array() {
            let wrongs: Vec<String> =
                schemas.iter().filter_map(|schema| at(description, schema, value, place).err()).collect();
            return if wrongs.len() < schemas.len() { Ok(()) } else { Err(wrongs.join(" and ")) };
        }
    }
    let known =
        ["type", "properties", "required", "items", "enum", "description", "format", "minimum", "propertyNames"];
    let ignored =
        ["additionalProperties", "example", "examples", "default", "maximum", "maxItems", "minItems", "title"];
    for rule in rules.keys() {
        assert!(known.contains(&&**rule) || ignored.contains(&&**rule), "{place}: this test does not know `{rule}`");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if !types.iter().any(|name| is(name, value)) {
        return Err(format!("{place} is {value} and not of type {types:?}"));
    }
    if schema["minimum"].is_number() && value.as_f64() < schema["minimum"].as_f64() && value.is_number() {
        return Err(format!("{place} is {value}, less than {}", schema["minimum"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{place} is {value}, none of {}", schema["enum"]));
    }
    if let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) {
        for (key, value) in object {
            let schema = properties.get(key).ok_or_else(|| format!("{place}.{key} is not described"))?;
            at(description, schema, value, &format!("{place}.{key}"))?;
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for key in required {
            if !object.contains_key(key) {
                return Err(format!("{place}.{key} is missing"));
            }
        }
    }
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            at(description, &schema["items"], item, &format!("{place}[{index}]"))?;
        }
    }
    Ok(())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type of JSON Schema"),
    }
}

#[test]
fn a_value_that_is_not_as_described_is_found() {
    let description = serde_json::json!({"a": {
        "type": "object", "required": ["x"], "properties": {"x": {"type": ["integer", "null"], "minimum": 0}, "y": {"type": "array", "items": {"type": "string"}}},
    }});
    let schema = serde_json::json!({"$ref": "#/a"});
    let check = |value: Value| check(&description, &schema, &value).is_ok();
    assert!(check(serde_json::json!({"x": 1, "y": ["z"]})) && check(serde_json::json!({"x": null})));
    for wrong in ["[]", "{}", r#"{"x": "1"}"#, r#"{"x": -1}"#, r#"{"x": 1, "y": [1]}"#, r#"{"x": 1, "z": 1}"#] {
        assert!(!check(serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}
