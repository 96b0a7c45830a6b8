//! What a sandbox begins with, from a file: the account, its users, units and
//! clients, the market's suppliers and questions, and studies in field.

use crate::reading;
use crate::state::BusinessUnit;
use crate::state::currency;
use crate::state::library::{CATEGORIES, Kind};
use crate::state::market::{self, Market};
use crate::state::target_group::MAX_AMOUNT;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::hash::Hash;

/// What a sandbox begins with instead of what it comes with.
///
/// Lists that the file gives replace those of the sandbox, what it leaves out
/// stays. `seeds/example.toml` has every key with what it means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedFile {
    pub(crate) account: SeedAccount,
    #[serde(rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<SeedUser>,
    #[serde(rename = "business_unit", skip_serializing_if = "Vec::is_empty")]
    pub(crate) business_units: Vec<SeedUnit>,
    #[serde(rename = "client", skip_serializing_if = "Vec::is_empty")]
    pub(crate) clients: Vec<SeedClient>,
    #[serde(rename = "supplier", skip_serializing_if = "Vec::is_empty")]
    pub(crate) suppliers: Vec<market::Supplier>,
    #[serde(rename = "question", skip_serializing_if = "Vec::is_empty")]
    pub(crate) questions: Vec<SeedQuestion>,
    #[serde(rename = "project", skip_serializing_if = "Vec::is_empty")]
    pub(crate) projects: Vec<SeedProject>,
}

/// The account and its credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SeedAccount {
    pub(crate) id: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) s2s_key: Option<String>,
}

/// A user; the first is the one that calls act for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedUser {
    /// A UUID; drawn from the seed if it is left out.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// A business unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedUnit {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) pricing_models: Vec<String>,
}

/// Whom the account works for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedClient {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// A question of the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedQuestion {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) text: String,
    /// `single`, `multi`, `range` or `open`.
    pub(crate) kind: String,
    /// The bounds of a range.
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    #[serde(default = "usual_category")]
    pub(crate) category: String,
    #[serde(default)]
    pub(crate) custom: bool,
    #[serde(default)]
    pub(crate) options: Vec<SeedOption>,
}

/// An answer that a question offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedOption {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A project with its target groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedProject {
    pub(crate) name: String,
    pub(crate) reference: Option<String>,
    #[serde(default, rename = "target_group")]
    pub(crate) groups: Vec<SeedGroup>,
}

/// A target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedGroup {
    pub(crate) name: String,
    pub(crate) locale: String,
    pub(crate) goal: u64,
    #[serde(default)]
    pub(crate) status: SeedStatus,
    /// The first of the account, if none is given.
    pub(crate) business_unit: Option<i64>,
    /// In the unit's currency; without one, the rate card counts.
    pub(crate) price: Option<String>,
    #[serde(default = "usual_minutes")]
    pub(crate) minutes: u64,
    #[serde(default = "usual_incidence")]
    pub(crate) incidence: f64,
    #[serde(default)]
    pub(crate) days_in_field: u32,
    #[serde(default = "usual_days_left")]
    pub(crate) days_left: u32,
    #[serde(default = "usual_link")]
    pub(crate) live_url: String,
    /// Only these suppliers, if any are given.
    #[serde(default)]
    pub(crate) suppliers: Vec<i64>,
    #[serde(default)]
    pub(crate) quotas: Vec<SeedQuotas>,
}

/// The quotas on one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedQuotas {
    pub(crate) question: i64,
    pub(crate) targets: Vec<SeedTarget>,
}

/// One quota: an option or a range, and its part of the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedTarget {
    pub(crate) option: Option<String>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) percent: f64,
}

/// How far a target group has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeedStatus {
    #[default]
    Live,
    Draft,
    Paused,
    Completed,
}

fn usual_category() -> String {
    "OTH".into()
}

fn usual_minutes() -> u64 {
    10
}

fn usual_incidence() -> f64 {
    1.0
}

fn usual_days_left() -> u32 {
    7
}

fn usual_link() -> String {
    "https://survey.example/?RID=[%RID%]".into()
}

/// Why a seed file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedFileError {
    /// It is neither TOML nor JSON of a seed file.
    #[error("the seed file cannot be read: {0}")]
    Unreadable(String),
    /// A value is not one of those that are allowed.
    #[error("{field} is {got}; {allowed}")]
    Invalid {
        /// Where it stands.
        field: String,
        /// What it is.
        got: String,
        /// What it may be.
        allowed: String,
    },
}

type Checked = Result<(), SeedFileError>;

fn invalid(field: impl Into<String>, got: impl Display, allowed: impl Into<String>) -> SeedFileError {
    SeedFileError::Invalid { field: field.into(), got: got.to_string(), allowed: allowed.into() }
}

fn need(holds: bool, field: impl Into<String>, got: impl Display, allowed: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { Err(invalid(field, got, allowed)) }
}

/// Holds that no two are the same.
fn distinct<T: Eq + Hash + Ord + Display>(field: &str, items: impl Iterator<Item = T>) -> Checked {
    let mut seen = BTreeSet::new();
    for item in items {
        let text = item.to_string();
        need(seen.insert(item), field, text, "each may stand once")?;
    }
    Ok(())
}

/// A list of what is allowed.
fn one_of(items: impl IntoIterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("allowed: {}", items.join(", "))
}

impl SeedFile {
    /// Reads a seed file from TOML, or from JSON where the text begins with a
    /// brace.
    ///
    /// # Errors
    /// If it is neither, has a key that is not known, or a value that cannot be.
    pub fn read(text: &str) -> Result<Self, SeedFileError> {
        let unreadable = |error: &dyn Display| SeedFileError::Unreadable(reading::in_words(&error.to_string()));
        let file: Self = if text.trim_start().starts_with('{') {
            reading::from_json(text.as_bytes()).map_err(|error| unreadable(&error))?
        } else {
            toml::from_str(text).map_err(|error| unreadable(&error))?
        };
        file.check()?;
        Ok(file)
    }

    /// The market with the file's suppliers and questions.
    pub(crate) fn market(&self) -> Market {
        let usual = Market::default();
        let suppliers = if self.suppliers.is_empty() { usual.suppliers } else { self.suppliers.clone() };
        let questions = if self.questions.is_empty() {
            usual.questions
        } else {
            self.questions.iter().filter_map(SeedQuestion::make).collect()
        };
        Market { suppliers, questions }
    }

    fn check(&self) -> Checked {
        distinct("user.email", self.users.iter().map(|user| &user.email))?;
        for user in &self.users {
            if let Some(id) = &user.id {
                need(uuid::Uuid::parse_str(id).is_ok(), "user.id", id, "a UUID is needed")?;
            }
        }
        distinct("business_unit.id", self.business_units.iter().map(|unit| unit.id))?;
        for unit in &self.business_units {
            let is_known = currency::rate(&unit.currency).is_some();
            need(is_known, "business_unit.currency", &unit.currency, one_of(currency::codes()))?;
            let models = ["dynamic", "rate_card"];
            need(!unit.pricing_models.is_empty(), "business_unit.pricing_models", "empty", one_of(models))?;
            for model in &unit.pricing_models {
                need(models.contains(&model.as_str()), "business_unit.pricing_models", model, one_of(models))?;
            }
        }
        distinct("client.id", self.clients.iter().map(|client| client.id))?;
        distinct("supplier.id", self.suppliers.iter().map(|supplier| supplier.id))?;
        distinct("question.id", self.questions.iter().map(|question| question.id))?;
        for question in &self.questions {
            question.check()?;
        }
        let market = self.market();
        for group in self.projects.iter().flat_map(|project| &project.groups) {
            self.check_group(group, &market)?;
        }
        Ok(())
    }

    /// The business units that there will be.
    fn units(&self) -> Vec<BusinessUnit> {
        if self.business_units.is_empty() {
            return BusinessUnit::usual().into();
        }
        self.business_units.iter().map(SeedUnit::make).collect()
    }

    fn check_group(&self, group: &SeedGroup, market: &Market) -> Checked {
        let field = |name: &str| format!("project.target_group.{name} of {}", group.name);
        need(
            market::locales().any(|own| own == group.locale),
            field("locale"),
            &group.locale,
            one_of(market::locales()),
        )?;
        need((1..=1_000_000).contains(&group.goal), field("goal"), group.goal, "1 to 1000000 is allowed")?;
        need((1..=45).contains(&group.minutes), field("minutes"), group.minutes, "1 to 45 is allowed")?;
        need((0.01..=1.0).contains(&group.incidence), field("incidence"), group.incidence, "0.01 to 1 is allowed")?;
        need(group.days_in_field <= 365, field("days_in_field"), group.days_in_field, "365 at most is allowed")?;
        need((1..=365).contains(&group.days_left), field("days_left"), group.days_left, "1 to 365 is allowed")?;
        need(group.live_url.starts_with("https://"), field("live_url"), &group.live_url, "an HTTPS address is needed")?;
        if let Some(price) = &group.price {
            let sound = price.parse::<Decimal>().is_ok_and(|price| !price.is_sign_negative() && price <= MAX_AMOUNT);
            need(sound, field("price"), price, format!("a decimal number from 0 to {MAX_AMOUNT} is needed"))?;
        }
        let units = self.units();
        let unit = units.iter().find(|own| group.business_unit.is_none_or(|id| own.id == id));
        let known = one_of(units.iter().map(|own| own.id));
        need(unit.is_some(), field("business_unit"), group.business_unit.unwrap_or_default(), known)?;
        for supplier in &group.suppliers {
            let known: Vec<i64> = market.supplier_ids().collect();
            need(known.contains(supplier), field("suppliers"), supplier, one_of(known))?;
        }
        for quotas in &group.quotas {
            let Some(question) = market.question(quotas.question) else {
                let known = one_of(market.questions.iter().map(|question| question.id));
                return Err(invalid(field("quotas.question"), quotas.question, known));
            };
            for target in &quotas.targets {
                let ranges = matches!(question.kind, Kind::Range(..));
                let sound = match target {
                    SeedTarget { option: Some(option), min: None, max: None, .. } => {
                        question.options.iter().any(|(own, _)| own == option)
                    }
                    SeedTarget { option: None, min: Some(min), max: Some(max), .. } => ranges && min <= max,
                    _ => false,
                };
                let allowed = if ranges {
                    "min and max are needed".to_owned()
                } else {
                    one_of(question.options.iter().map(|(id, _)| id))
                };
                need(sound, field("quotas.targets"), format!("{target:?}"), allowed)?;
                let percent = target.percent;
                need((0.0..=100.0).contains(&percent), field("quotas.percent"), percent, "0 to 100 is allowed")?;
            }
        }
        let (model, price) = match &group.price {
            Some(price) => ("dynamic", price.as_str()),
            None => ("rate_card", "nothing"),
        };
        let priced = format!("its business unit does not price by {model}");
        need(unit.is_some_and(|unit| unit.prices_by(model)), field("price"), price, priced)
    }
}

impl SeedUnit {
    pub(crate) fn make(&self) -> BusinessUnit {
        BusinessUnit {
            id: self.id,
            name: self.name.clone(),
            currency: self.currency.clone(),
            pricing_models: self.pricing_models.clone(),
        }
    }
}

impl SeedQuestion {
    fn check(&self) -> Checked {
        let field = |name: &str| format!("question.{name} of {}", self.id);
        need(self.id > 0, field("id"), self.id, "a positive number is needed")?;
        need(CATEGORIES.contains(&self.category.as_str()), field("category"), &self.category, one_of(CATEGORIES))?;
        let kinds = ["single", "multi", "range", "open"];
        need(kinds.contains(&self.kind.as_str()), field("kind"), &self.kind, one_of(kinds))?;
        let offers = matches!(self.kind.as_str(), "single" | "multi");
        need(offers != self.options.is_empty(), field("options"), self.options.len(), "for single and multi only")?;
        let ranges = self.min.zip(self.max).is_some_and(|(min, max)| min < max);
        need(ranges == (self.kind == "range"), field("min"), "with max", "for range only, and below max")?;
        distinct(&field("options"), self.options.iter().map(|option| &option.id))
    }

    fn make(&self) -> Option<crate::state::library::Question> {
        let text = |text: &String| std::array::from_fn(|_| text.clone());
        let at = CATEGORIES.iter().position(|code| *code == self.category)?;
        Some(crate::state::library::Question {
            id: self.id,
            name: self.name.clone(),
            text: text(&self.text),
            kind: match self.kind.as_str() {
                "single" => Kind::Single,
                "multi" => Kind::Multi,
                "range" => Kind::Range(self.min?, self.max?),
                _ => Kind::Open,
            },
            category: (self.category.clone(), i64::try_from(at).ok()? + 1),
            options: self.options.iter().map(|option| (option.id.clone(), text(&option.text))).collect(),
            custom: self.custom,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_sound() {
        let file = SeedFile::read(include_str!("../seeds/example.toml")).unwrap();
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(SeedFile::read(&json).unwrap(), file);
        assert_eq!(SeedFile::read("").unwrap(), SeedFile::default());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let group = |more: &str| {
            format!(
                "[[project]]\nname = \"p\"\n[[project.target_group]]\nname = \"g\"\nlocale = \"eng_us\"\ngoal = 5\n{more}"
            )
        };
        let question = |more: &str| format!("[[question]]\nid = 7\nname = \"Q\"\ntext = \"?\"\n{more}");
        let unit = |more: &str| format!("[[business_unit]]\nid = 1\nname = \"u\"\n{more}");
        for (text, named) in [
            ("[account]\nuser = 3".to_owned(), "user"),
            ("[[supplier]]\nid = 1\ncode = \"A\"\nname = \"a\"\n".repeat(2), "supplier.id is 1"),
            (unit("currency = \"usd\"\npricing_models = [\"dynamic\"]"), "business_unit.currency is usd"),
            (unit("currency = \"USD\"\npricing_models = [\"fixed\"]"), "dynamic, rate_card"),
            (question("kind = \"scale\""), "single, multi, range, open"),
            (question("kind = \"single\""), "question.options of 7"),
            (question("kind = \"range\""), "question.min of 7"),
            (group("").replace("eng_us", "eng_xx"), "eng_us, spa_us"),
            (group("suppliers = [5]"), "980, 1101"),
            (group("price = \"cheap\""), "price of g"),
            (group(""), "price of g is nothing; its business unit does not price by rate_card"),
            (
                group("business_unit = 3850\nprice = \"2\""),
                "price of g is 2; its business unit does not price by dynamic",
            ),
            (group("business_unit = 9\nprice = \"2\""), "3848, 3849, 3850"),
            (
                group("price = \"1000000000000.01\""),
                "price of g is 1000000000000.01; a decimal number from 0 to 1000000000000",
            ),
            (group("minutes = 90"), "1 to 45"),
            (group("status = \"asleep\""), "asleep"),
            (
                group("[[project.target_group.quotas]]\nquestion = 43\ntargets = [{ option = \"9\", percent = 50 }]"),
                "1, 2",
            ),
            (group("[[project.target_group.quotas]]\nquestion = 4\ntargets = []"), "42, 43"),
            (
                group("[[project.target_group.quotas]]\nquestion = 43\ntargets = [{ option = \"1\", percent = -5 }]"),
                "quotas.percent of g is -5; 0 to 100",
            ),
        ] {
            let error = SeedFile::read(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
