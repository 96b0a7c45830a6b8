//! Finds the place in a request that an error of the API names.
//! Its services write places in several ways; the result is always a JSON pointer.

use serde_json::Value;

/// The pointer to what `name` means in `body`: `profiling.profiles[0].name`, `/profiling/profiles/0/name`, `$.name`,
/// or just a field's name, if there is one such field. The last part may be missing in the body: that may be the error.
pub(crate) fn find(body: Option<&Value>, name: &str) -> Option<String> {
    let body = body?;
    let parts: Vec<&str> = name.split(['.', '/', '[', ']', '\'', '"']).filter(|part| !part.is_empty()).collect();
    let parts = match parts.as_slice() {
        ["$" | "body" | "request", rest @ ..] if !rest.is_empty() => rest,
        parts => parts,
    };
    if parts.is_empty() {
        return None;
    }
    if let Some(found) = walk(body, parts) {
        return Some(found);
    }
    let [last] = parts else { return None };
    let mut places = Vec::new();
    collect(body, last, &mut String::new(), &mut places);
    let only = if places.len() == 1 { places.pop() } else { None };
    only.or_else(|| (body.is_object() && is_field(last)).then(|| format!("/{last}")))
}

/// A name of a field rather than of a rule: those are looked for in the body alone.
fn is_field(name: &str) -> bool {
    !name.contains("error") && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn walk(body: &Value, parts: &[&str]) -> Option<String> {
    let mut at = body;
    let mut pointer = String::new();
    for part in parts {
        let (key, next) = match at {
            Value::Object(fields) => {
                fields.iter().find(|(key, _)| same(key, part)).map(|(key, next)| (&**key, next))?
            }
            Value::Array(items) => (*part, items.get(part.parse::<usize>().ok()?)?),
            _ => return None,
        };
        push(&mut pointer, key);
        at = next;
    }
    Some(pointer)
}

fn collect(at: &Value, name: &str, pointer: &mut String, places: &mut Vec<String>) {
    let length = pointer.len();
    let mut visit = |key: &str, next: &Value, hit: bool| {
        push(pointer, key);
        if hit {
            places.push(pointer.clone());
        }
        collect(next, name, pointer, places);
        pointer.truncate(length);
    };
    match at {
        Value::Object(fields) => fields.iter().for_each(|(key, next)| visit(key, next, same(key, name))),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, next)| visit(&index.to_string(), next, false))
        }
        _ => {}
    }
}

fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

/// `CompletesGoal` and `completes_goal` are the same field.
fn same(key: &str, name: &str) -> bool {
    let letters = |text: &'_ str| {
        text.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    key == name || letters(key) == letters(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_however_it_is_written() {
        let body = serde_json::json!({
            "name": "a",
            "completes_goal": 1,
            "profiling": {"profiles": [{"targets": [{"quota": {"completes_goal_percentage": 10}}]}]},
            "a/b": 1,
        });
        for (name, pointer) in [
            ("name", Some("/name")),
            ("$.name", Some("/name")),
            ("body.Name", Some("/name")),
            ("CompletesGoal", Some("/completes_goal")),
            ("profiling.profiles[0].targets[0].quota", Some("/profiling/profiles/0/targets/0/quota")),
            ("/profiling/profiles/0", Some("/profiling/profiles/0")),
            ("completes_goal_percentage", Some("/profiling/profiles/0/targets/0/quota/completes_goal_percentage")),
            ("profiles[7].name", None),
            ("live_url", Some("/live_url")),
            ("profile_validation_error_009", None),
            ("profiling.profiles[5]", None),
            ("", None),
        ] {
            assert_eq!(find(Some(&body), name).as_deref(), pointer, "{name}");
        }
        assert_eq!(find(None, "name"), None);
    }
}
