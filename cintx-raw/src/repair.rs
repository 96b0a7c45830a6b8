//! A second reading of an answer that does not decode as it came: a value of a wrong type costs its own field, never
//! the page that it stands on. It begins only after the first reading has failed.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use serde_path_to_error::{Path, Segment};

/// So many places of one answer are repaired; an answer with more is another answer.
const MAX_REPAIRS: usize = 64;

/// What was repaired, as JSON pointers; in a [`Response`](crate::Response)'s extensions.
///
/// A number that came as text, or as `3.0` for `3`, was read as the number; what could not be read at all is absent
/// from the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The places. A star stands for every item of a list.
    pub places: Vec<String>,
}

/// Reads a value from an answer that is JSON, but not quite of the type that it should be.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<(T, Repaired)> {
    let mut answer = json_value(body)?;
    let (mut places, mut tried): (Vec<String>, Vec<(String, Kind)>) = Default::default();
    for _ in 0..=MAX_REPAIRS {
        let error = match serde_path_to_error::deserialize::<_, T>(&answer) {
            Ok(value) => return Some((value, Repaired { places })),
            Err(error) => error,
        };
        let steps = steps(error.path())?;
        let (last, parents) = steps.split_last()?;
        let wrong = at(&answer, &steps)?.clone();
        let place = pointer(&steps);
        let kind = Kind::of(&wrong);
        let attempt = (place.clone(), kind);
        // What still does not fit after it was converted is left out.
        let fitting = if tried.contains(&attempt) { None } else { converted(&wrong) };
        tried.push(attempt);
        let reach = if fitting.is_some() || kind.is_scalar() { Reach::Every } else { Reach::This };
        each_parent(&mut answer, parents, reach, &mut |parent| repair(parent, last, &wrong, fitting.is_some()));
        if !places.contains(&place) {
            places.push(place);
        }
    }
    None
}

/// Any JSON, by one reader for all who take what comes.
#[inline(never)]
pub(crate) fn json_value(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// One step from a value into it.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// `None` where the place is not known, or is the whole answer.
fn steps(path: &Path) -> Option<Vec<Step>> {
    let steps: Option<Vec<Step>> = path
        .iter()
        .filter(|segment| !matches!(segment, Segment::Enum { .. }))
        .map(|segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            _ => None,
        })
        .collect();
    steps.filter(|steps| !steps.is_empty())
}

fn pointer(steps: &[Step]) -> String {
    let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
    steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => format!("/{}", escaped(key)),
            Step::Index(_) => "/*".to_owned(),
        })
        .collect()
}

fn at<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

/// How far a repair reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The one place.
    This,
    /// The same field of every item of the lists on the way.
    Every,
}

fn each_parent(value: &mut Value, steps: &[Step], reach: Reach, repair: &mut impl FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else { return repair(value) };
    match (step, value) {
        (Step::Key(key), Value::Object(object)) => {
            if let Some(child) = object.get_mut(key) {
                each_parent(child, rest, reach, repair);
            }
        }
        (Step::Index(_), Value::Array(items)) if reach == Reach::Every => {
            items.iter_mut().for_each(|item| each_parent(item, rest, reach, repair));
        }
        (Step::Index(index), Value::Array(items)) => {
            if let Some(item) = items.get_mut(*index) {
                each_parent(item, rest, reach, repair);
            }
        }
        _ => {}
    }
}

/// Converts or leaves out what is as wrong as the value that was found.
fn repair(parent: &mut Value, last: &Step, wrong: &Value, convert: bool) {
    let kind = Kind::of(wrong);
    let as_wrong = |value: &Value| Kind::of(value) == kind;
    match (parent, last) {
        (Value::Object(object), Step::Key(key)) => repair_field(object, key, as_wrong, convert),
        (Value::Array(items), Step::Index(_)) => {
            if convert {
                items.iter_mut().filter(|item| as_wrong(item)).for_each(|item| {
                    if let Some(fitting) = converted(item) {
                        *item = fitting;
                    }
                });
            } else {
                items.retain(|item| !as_wrong(item) || (!kind.is_scalar() && item != wrong));
            }
        }
        _ => {}
    }
}

fn repair_field(object: &mut Map<String, Value>, key: &str, as_wrong: impl Fn(&Value) -> bool, convert: bool) {
    let Some(value) = object.get_mut(key).filter(|value| as_wrong(value)) else { return };
    match converted(value).filter(|_| convert) {
        Some(fitting) => *value = fitting,
        None => drop(object.remove(key)),
    }
}

/// The same value in the type that was probably meant: `"3"` as 3, `3.0` as 3, 3 as `"3"`.
fn converted(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            text.trim().parse::<Number>().ok().map(|number| whole(&number).unwrap_or(number)).map(Value::Number)
        }
        Value::Number(number) => Some(match whole(number) {
            Some(whole) => Value::Number(whole),
            None => Value::String(number.to_string()),
        }),
        _ => None,
    }
}

/// A number with an empty fraction as an integer.
fn whole(number: &Number) -> Option<Number> {
    let value = number.as_f64().filter(|_| number.is_f64())?;
    // Every integer up to here is exact.
    let exact = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    exact.then(|| Number::from(value as i64))
}

/// The kinds of values, as a type tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Integer,
    Fraction,
    Text,
    List,
    Object,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_f64() => Self::Fraction,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        }
    }

    fn is_scalar(self) -> bool {
        !matches!(self, Self::List | Self::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        id: Option<String>,
        count: Option<i64>,
        share: Option<f64>,
        words: Option<Vec<String>>,
        nested: Option<Box<Item>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Page {
        items: Option<Vec<Item>>,
        more: Option<bool>,
    }

    fn page(text: &str) -> (Page, Vec<String>) {
        let (page, repaired) = read::<Page>(text.as_bytes()).unwrap();
        (page, repaired.places)
    }

    #[test]
    fn numbers_are_read_however_they_came() {
        let (page, places) =
            page(r#"{"items":[{"id":5,"count":"3","share":"0.5"},{"id":"6","count":4.0}],"more":true}"#);
        let items = page.items.unwrap();
        assert_eq!((items[0].id.as_deref(), items[0].count, items[0].share), (Some("5"), Some(3), Some(0.5)));
        assert_eq!((items[1].id.as_deref(), items[1].count), (Some("6"), Some(4)));
        assert_eq!(page.more, Some(true));
        assert_eq!(places, ["/items/*/count", "/items/*/id", "/items/*/share"]);
    }

    #[test]
    fn what_cannot_be_read_costs_its_own_field() {
        let (page, places) = page(
            r#"{"items":[{"id":"1","count":{"odd":1}},{"id":"2","count":2,"words":["a",5,null,"b"]},
                {"id":"3","nested":{"id":true,"count":7}}],"more":"often"}"#,
        );
        let items = page.items.unwrap();
        assert_eq!(items.iter().map(|item| item.id.as_deref()).collect::<Vec<_>>(), [Some("1"), Some("2"), Some("3")]);
        assert_eq!((items[0].count, items[1].count, page.more), (None, Some(2), None));
        assert_eq!(items[1].words.as_deref().unwrap(), ["a", "5", "b"]);
        assert_eq!(items[2].nested.as_ref().unwrap().count, Some(7));
        assert!(places.contains(&"/items/*/nested/id".to_owned()), "{places:?}");
    }

    #[test]
    fn a_page_full_of_the_same_mistake_is_repaired_at_once() {
        let items: Vec<String> = (0..1_000).map(|id| format!(r#"{{"id":"{id}","count":"many"}}"#)).collect();
        let (page, places) = page(&format!(r#"{{"items":[{}]}}"#, items.join(",")));
        assert_eq!((page.items.unwrap().len(), places.len()), (1_000, 1));
    }

    #[test]
    fn another_answer_is_not_repaired() {
        for text in ["", "null", "[]", "5", "\"page\"", "{\"items\":"] {
            assert!(read::<Page>(text.as_bytes()).is_none(), "{text}");
        }
    }
}
