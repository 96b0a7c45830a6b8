//! What a check found wrong: where, what stood there, and what may stand there.
//! Built from validator errors, with unions narrowed to the branch that was meant.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use std::cmp::Reverse;
use std::fmt;

/// Where in a message something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The method or the path as a whole.
    Route,
    /// A parameter in the path.
    Path(String),
    /// A parameter in the query.
    Query(String),
    /// A header.
    Header(String),
    /// The body; a JSON pointer, empty for the body as a whole.
    Body(String),
    /// The status code of an answer.
    Status,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route => f.write_str("route"),
            Self::Path(name) => write!(f, "path {name}"),
            Self::Query(name) => write!(f, "query {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Body(pointer) if pointer.is_empty() => f.write_str("body"),
            Self::Body(pointer) => write!(f, "body {pointer}"),
            Self::Status => f.write_str("status"),
        }
    }
}

/// One thing in a message that its document does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where it is.
    pub place: Place,
    /// The rule that is broken, as the keyword that states it.
    pub rule: String,
    /// What was found, shortened.
    pub got: String,
    /// What would be allowed.
    pub allowed: String,
}

impl Violation {
    /// A violation that is not about a schema.
    pub fn new(place: Place, rule: impl Into<String>, got: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { place, rule: rule.into(), got: got.into(), allowed: allowed.into() }
    }

    /// The place as error bodies name it: a parameter's name, or a dotted
    /// path into the body.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Route => "route".into(),
            Place::Status => "status".into(),
            Place::Path(name) | Place::Query(name) | Place::Header(name) => name.clone(),
            Place::Body(pointer) if pointer.is_empty() => "body".into(),
            Place::Body(pointer) => pointer
                .trim_start_matches('/')
                .split('/')
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect::<Vec<_>>()
                .join("."),
        }
    }

    /// One sentence on what is wrong.
    pub fn reason(&self) -> String {
        format!("got {}, allowed: {}", self.got, self.allowed)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.reason(), self.rule)
    }
}

/// Rewrites a validator's error, placed under `root`.
pub(crate) fn from_error(error: &ValidationError<'_>, place: &dyn Fn(&str) -> Place, out: &mut Vec<Violation>) {
    let nested = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            meant_branch(context, depth(error))
        }
        _ => None,
    };
    if let Some(errors) = nested {
        for error in errors {
            from_error(error, place, out);
        }
        return;
    }
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind()
        && let Some(tag) = unknown_tag(context, depth(error))
    {
        out.push(Violation { place: place(&tag.pointer), ..tag.violation });
        return;
    }
    let pointer = error.instance_path().as_str().to_owned();
    let (pointer, got, allowed) = describe(error, pointer);
    out.push(Violation { place: place(&pointer), rule: error.kind().keyword().to_owned(), got, allowed });
}

/// The branch of a failed union that the sender most likely meant: one whose
/// tag fits, then the one that fits deepest, then the one with the fewest
/// complaints. `None` if no branch stands out, so that the union itself is
/// reported.
fn meant_branch<'e, 'a>(context: &'e [Vec<ValidationError<'a>>], union: usize) -> Option<&'e [ValidationError<'a>]> {
    let best = context.iter().min_by_key(|errors| rank(errors, union))?;
    (!best.is_empty() && (!rank(best, union).0 || context.len() == 1)).then_some(best.as_slice())
}

/// What is wrong with each branch, also of unions within it.
fn leaves<'e, 'a>(context: &'e [Vec<ValidationError<'a>>], out: &mut Vec<&'e ValidationError<'a>>) {
    for error in context.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                leaves(context, out);
            }
            _ => out.push(error),
        }
    }
}

/// What tells the branches of a union apart, where no branch knows it.
struct Tag {
    pointer: String,
    violation: Violation,
}

/// The property that each branch wants another value of: with everything that any of them allows.
fn unknown_tag(context: &[Vec<ValidationError<'_>>], union: usize) -> Option<Tag> {
    let mut allowed: Vec<String> = Vec::new();
    let mut found: Option<&ValidationError<'_>> = None;
    let mut complaints = Vec::new();
    leaves(context, &mut complaints);
    for error in complaints.into_iter().filter(|error| depth(error) == union + 1) {
        let options = match error.kind() {
            ValidationErrorKind::Enum { options } => options.as_array().map_or(&[][..], Vec::as_slice),
            ValidationErrorKind::Constant { expected_value } => std::slice::from_ref(expected_value.as_ref()),
            _ => continue,
        };
        let first = *found.get_or_insert(error);
        if first.instance_path() == error.instance_path() {
            let new = options.iter().map(Value::to_string).filter(|option| !allowed.contains(option));
            let new: Vec<String> = new.collect();
            allowed.extend(new);
        }
    }
    let found = found?;
    let got = shorten(found.instance());
    let violation = Violation::new(Place::Route, "enum", got, format!("one of [{}]", allowed.join(",")));
    Some(Tag { pointer: found.instance_path().as_str().to_owned(), violation })
}

fn rank(errors: &[ValidationError<'_>], union: usize) -> (bool, Reverse<usize>, usize) {
    let other_kind = errors.iter().any(|error| match error.kind() {
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => depth(error) <= union + 1,
        ValidationErrorKind::Type { .. } => depth(error) <= union,
        // A branch for an empty object is not meant by one with something in it.
        ValidationErrorKind::MaxProperties { limit: 0 } => depth(error) <= union,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            depth(error) <= union && meant_branch(context, union).is_none()
        }
        _ => false,
    });
    let shallowest = errors.iter().map(depth).min().unwrap_or(0);
    (other_kind, Reverse(shallowest), errors.len())
}

/// How many steps below the root an error is.
fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().matches('/').count()
}

fn describe(error: &ValidationError<'_>, pointer: String) -> (String, String, String) {
    let got = shorten(error.instance());
    let allowed = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            let step = name.replace('~', "~0").replace('/', "~1");
            return (format!("{pointer}/{step}"), "nothing".into(), "a value is required".into());
        }
        // All of them: whoever is refused needs to know what is allowed.
        ValidationErrorKind::Enum { options } => format!("one of {options}"),
        ValidationErrorKind::Type { kind } => {
            format!("{kind:?}").trim_start_matches("Single(").trim_end_matches(')').to_lowercase()
        }
        ValidationErrorKind::Format { format } => format!("the format {format}"),
        ValidationErrorKind::Pattern { pattern } => format!("text that matches {pattern}"),
        ValidationErrorKind::Minimum { limit } => format!("at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("at most {limit} items"),
        ValidationErrorKind::MaxProperties { limit } => format!("at most {limit} properties"),
        ValidationErrorKind::MinProperties { limit } => format!("at least {limit} properties"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        ValidationErrorKind::UniqueItems => "items without repetition".into(),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("no other properties than those declared (not {})", unexpected.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => expected_value.to_string(),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let shape = |errors: &Vec<ValidationError<'_>>| -> String {
                let complaints = errors.iter().map(|error| {
                    let (pointer, _, allowed) = describe(error, error.instance_path().as_str().to_owned());
                    format!("{pointer}: {allowed}")
                });
                complaints.collect::<Vec<_>>().join(" and ")
            };
            context.iter().map(shape).collect::<Vec<_>>().join(", or ")
        }
        _ => error.to_string(),
    };
    (pointer, got, allowed)
}

/// So many characters of what was found are told.
const MAX_FOUND: usize = 80;

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MAX_FOUND {
        return text;
    }
    let mut short: String = text.chars().take(MAX_FOUND).collect();
    short.push('…');
    short
}
