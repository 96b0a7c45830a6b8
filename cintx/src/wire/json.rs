//! JSON of requests and answers: ids that are text or number, and what a conversion has lost.
//! Both the areas that write JSON and those that read it go through here.

use rust_decimal::Decimal;
use serde_json::Value;

/// An id, which may be text or a number, as text.
pub(crate) fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, which may be text. Digits in groups are no number: whoever groups them may do so by a point, too.
pub(crate) fn decimal(number: &Value) -> Option<Decimal> {
    let text = id_text(number)?;
    let text = (!text.contains('_')).then_some(text)?;
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// The first value of a request that its typed form does not hold any more, and its place. Null says nothing, so
/// it cannot be lost; numbers are compared by value.
pub(crate) fn first_lost<'a>(given: &'a Value, kept: &Value) -> Option<(String, &'a Value)> {
    match (given, kept) {
        (Value::Null, _) => None,
        (Value::Object(given), Value::Object(kept)) => {
            // Both have the same order as a rule, so that the next of that name is near.
            let mut rest = kept.iter();
            given.iter().find_map(|(name, given)| {
                let near = rest.find_map(|(other, kept)| (other == name).then_some(kept));
                let (place, value) = first_lost(given, near.or_else(|| kept.get(name)).unwrap_or(&Value::Null))?;
                Some((join(name, &place), value))
            })
        }
        (Value::Array(given), Value::Array(kept)) => given.iter().enumerate().find_map(|(index, given)| {
            let (place, value) = first_lost(given, kept.get(index).unwrap_or(&Value::Null))?;
            Some((join(&format!("[{index}]"), &place), value))
        }),
        (Value::Number(given), Value::Number(kept)) if given.as_f64() == kept.as_f64() => None,
        _ if given == kept => None,
        _ => Some((String::new(), given)),
    }
}

fn join(outer: &str, inner: &str) -> String {
    match inner.chars().next() {
        None => outer.to_owned(),
        Some('[') => format!("{outer}{inner}"),
        Some(_) => format!("{outer}.{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_read_as_number_or_text_but_not_in_groups() {
        for (number, read) in [
            (json!(1.5), Some(Decimal::new(15, 1))),
            (json!("-1.5"), Some(Decimal::new(-15, 1))),
            (json!("1.5E-7"), Some(Decimal::new(15, 8))),
            (json!(1.5e-7), Some(Decimal::new(15, 8))),
            (json!("4_9"), None),
            (json!("some"), None),
            (json!(null), None),
        ] {
            assert_eq!(decimal(&number), read, "{number}");
        }
    }
}
