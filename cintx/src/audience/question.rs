//! A question of the library: which answers qualify, and how many of each are wanted. Bands of numbers, options, or
//! texts such as post codes; each by itself or several as one group.

use std::fmt;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::types::plain_decimal;

/// What a respondent must have answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condition {
    /// A whole number between these, both included: ages.
    Range {
        /// The least.
        min: u8,
        /// The greatest.
        max: u8,
    },
    /// An answer option, by its code.
    Option(String),
    /// One of these texts: post codes.
    Values(Vec<String>),
    /// Any text at all.
    AnyValue,
}

impl Condition {
    /// The condition in words: `18-34`, `option 1`, or the texts.
    pub fn label(&self) -> String {
        match self {
            Self::Range { min, max } => format!("{min}-{max}"),
            Self::Option(option) => format!("option {option}"),
            Self::Values(values) => match values.as_slice() {
                [first, second, third, rest @ ..] if !rest.is_empty() => {
                    format!("{first}, {second}, {third} and {} more", rest.len())
                }
                values => values.join(", "),
            },
            Self::AnyValue => "any".to_owned(),
        }
    }
}

/// How much of the goal a target gets.
///
/// Made of a number (percent), of a text or a decimal (percent with decimals), or of `()` for no quota; completes are
/// [`Share::Completes`]:
///
/// ```
/// # use cintx::audience::{Question, Share};
/// let in_percent = Question::choice(43).option("1", 49).option("2", 51);
/// let in_thirds = Question::choice(43).option("1", "33.33").option("2", "66.67");
/// let in_counts = Question::choice(43).option("1", Share::Completes(245)).option("2", Share::Completes(255));
/// let open = Question::choice(43).option("1", 50).option("2", 50).option("3", ());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Share {
    /// Percent of the goal.
    Percent(Decimal),
    /// So many completes.
    Completes(u32),
    /// No quota: whoever comes.
    Open,
    /// Something that cannot be read; refused when the audience is checked.
    Unreadable(String),
}

impl From<u32> for Share {
    fn from(percent: u32) -> Self {
        Self::Percent(percent.into())
    }
}

impl From<i32> for Share {
    fn from(percent: i32) -> Self {
        Self::Percent(percent.into())
    }
}

impl From<Decimal> for Share {
    fn from(percent: Decimal) -> Self {
        Self::Percent(percent)
    }
}

impl From<&str> for Share {
    fn from(percent: &str) -> Self {
        plain_decimal(percent).map_or_else(|| Self::Unreadable(percent.to_owned()), Self::Percent)
    }
}

impl From<()> for Share {
    fn from((): ()) -> Self {
        Self::Open
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}"),
            Self::Completes(count) => write!(f, "Share::Completes({count})"),
            Self::Open => f.write_str("()"),
            Self::Unreadable(text) => write!(f, "{text:?}"),
        }
    }
}

/// One or several conditions that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    pub(crate) name: Option<String>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) share: Share,
}

impl Target {
    /// The name of the target, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What must be answered: any of these.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// How much of the goal it gets.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// The name of the target, or its conditions in words.
    pub fn label(&self) -> String {
        let labels = || self.conditions.iter().map(Condition::label).collect::<Vec<_>>().join(", ");
        self.name.clone().unwrap_or_else(labels)
    }
}

/// What a question is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QuestionKind {
    Range,
    Choice,
    Open,
}

/// A question of the library with the part of the completes that each of its targets gets.
///
/// ```
/// # use cintx::audience::Question;
/// let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
/// let gender = Question::choice(43).option("1", 49).option("2", 51);
/// let ethnicity = Question::choice(113).option("1", 60).options("the others", ["2", "3", "4"], 40);
/// let post_code = Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    pub(crate) id: i64,
    pub(crate) kind: QuestionKind,
    pub(crate) targets: Vec<Target>,
    pub(crate) quotas: bool,
}

impl Question {
    fn new(id: i64, kind: QuestionKind) -> Self {
        Self { id, kind, targets: Vec::new(), quotas: true }
    }

    /// A question that is answered with a number: age.
    pub fn range(id: i64) -> Self {
        Self::new(id, QuestionKind::Range)
    }

    /// A question that is answered with an option.
    pub fn choice(id: i64) -> Self {
        Self::new(id, QuestionKind::Choice)
    }

    /// A question that is answered with a text: post codes.
    pub fn open_ended(id: i64) -> Self {
        Self::new(id, QuestionKind::Open)
    }

    fn target(mut self, name: Option<String>, conditions: Vec<Condition>, share: Share) -> Self {
        self.targets.push(Target { name, conditions, share });
        self
    }

    /// Adds a band of numbers (1 to 99, both ends included) with its share.
    #[must_use]
    pub fn band(self, range: RangeInclusive<u8>, share: impl Into<Share>) -> Self {
        self.target(None, vec![band(&range)], share.into())
    }

    /// Adds several bands that are counted together.
    #[must_use]
    pub fn bands(
        self,
        name: impl Into<String>,
        ranges: impl IntoIterator<Item = RangeInclusive<u8>>,
        share: impl Into<Share>,
    ) -> Self {
        let conditions = ranges.into_iter().map(|range| band(&range)).collect();
        self.target(Some(name.into()), conditions, share.into())
    }

    /// Adds an answer option with its share.
    #[must_use]
    pub fn option(self, option: impl Into<String>, share: impl Into<Share>) -> Self {
        self.target(None, vec![Condition::Option(option.into())], share.into())
    }

    /// Adds several options that are counted together.
    #[must_use]
    pub fn options<O: Into<String>>(
        self,
        name: impl Into<String>,
        options: impl IntoIterator<Item = O>,
        share: impl Into<Share>,
    ) -> Self {
        let conditions = options.into_iter().map(|option| Condition::Option(option.into())).collect();
        self.target(Some(name.into()), conditions, share.into())
    }

    /// Adds a list of texts that are counted together: 1 to 10,000 of them.
    #[must_use]
    pub fn values<T: Into<String>>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = T>,
        share: impl Into<Share>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.target(Some(name.into()), vec![Condition::Values(values)], share.into())
    }

    /// Takes any text; such a target has no quota.
    #[must_use]
    pub fn any_value(self) -> Self {
        self.target(None, vec![Condition::AnyValue], Share::Open)
    }

    /// Only screens: the conditions hold, without quotas. What was given as a share is refused.
    #[must_use]
    pub fn without_quotas(mut self) -> Self {
        self.quotas = false;
        self
    }

    /// The question's id in the library.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// What is counted, in the order in which it was given.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether its targets have quotas.
    pub fn has_quotas(&self) -> bool {
        self.quotas
    }

    /// The builder call that made it, or one of its targets: what errors point at.
    pub(crate) fn call(&self, target: Option<usize>) -> String {
        let kind = match self.kind {
            QuestionKind::Range => "range",
            QuestionKind::Choice => "choice",
            QuestionKind::Open => "open_ended",
        };
        let mut call = format!("Question::{kind}({})", self.id);
        let Some(target) = target.and_then(|target| self.targets.get(target)) else { return call };
        let share = &target.share;
        let one = |condition: &Condition| match condition {
            Condition::Range { min, max } => format!("{min}..={max}"),
            Condition::Option(option) => format!("{option:?}"),
            Condition::Values(values) => format!("[{} texts]", values.len()),
            Condition::AnyValue => String::new(),
        };
        let plural = |name: &str| -> String {
            let list: Vec<String> = target.conditions.iter().map(one).collect();
            format!(".{name}({:?}, [{}], {share})", target.name.as_deref().unwrap_or_default(), list.join(", "))
        };
        call += &match (target.conditions.as_slice(), &target.name) {
            ([Condition::AnyValue], _) => ".any_value()".to_owned(),
            ([condition @ Condition::Values(_)], name) => {
                format!(".values({:?}, {}, {share})", name.as_deref().unwrap_or_default(), one(condition))
            }
            ([condition @ Condition::Range { .. }], None) => format!(".band({}, {share})", one(condition)),
            ([condition @ Condition::Option(_)], None) => format!(".option({}, {share})", one(condition)),
            ([Condition::Range { .. }, ..], _) => plural("bands"),
            _ => plural("options"),
        };
        call
    }
}

fn band(range: &RangeInclusive<u8>) -> Condition {
    Condition::Range { min: *range.start(), max: *range.end() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_in_text_is_a_plain_decimal() {
        for wrong in ["4_9", "5e1", "+5", " 5", "5,0", "", "."] {
            assert_eq!(Share::from(wrong), Share::Unreadable(wrong.to_owned()));
        }
        assert_eq!(Share::from("33.33"), Share::Percent(Decimal::new(3333, 2)));
    }
}
