//! What the documents let through and the platform does not know: places,
//! questions, suppliers and the like, and prices beyond its limit.

use crate::api::call::Call;
use crate::api::dialect::{first, money_names, whole};
use crate::api::rejection::Rejection;
use crate::contract::Violation;
use crate::sim::clock::{plus, read, text};
use crate::state::World;
use crate::state::currency::rate;
use crate::state::market::{INDUSTRIES, LOCKOUTS, PLACES, STUDY_TYPES, codes, locales};
use crate::tolerance::Tolerance;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeSet;

/// The greatest price of a complete, in US dollars.
const HIGHEST_PRICE_USD: u32 = 105;

/// How far ahead a draft's start is to be.
const NOTICE: SignedDuration = SignedDuration::from_hours(1);
/// How far clocks may be apart.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Prices of completes, under every name that they have in requests.
const PRICES: &[&str] = &[
    "cost_per_interview",
    "target_group_cpi",
    "maximum_cpi",
    "minimum_cpi",
    "boost_cpi",
    "cpi_boost",
    "user_requested_cpi",
    "price",
    "rate_card_price_boost",
];

/// Other amounts that are in the business unit's currency.
const AMOUNTS: &[&str] = &["total_budget", "client_cost_per_interview_note", "client_cpi"];

/// Holds that a request names nothing that the platform does not know.
pub(crate) fn check(world: &World, call: &Call<'_>) -> Result<(), Rejection> {
    let currency = currency(world, call);
    let mut checker = Checker { world, currency, wrong: Vec::new() };
    if let Some(locale) = call.query("locale") {
        checker.locale("locale", locale);
    }
    if let Some(country) = call.query("country_code").filter(|_| call.operation.id() == "get_rate_card") {
        checker.country("country_code", country);
    }
    checker.walk("", &call.body, None);
    if checker.wrong.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = checker.wrong.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
    let mut refusal = Rejection::bad_request(format!("The request is not valid. {}.", list.join("; ")));
    refusal.params = checker.wrong;
    Err(refusal)
}

/// The currency of the business unit that a request is about, where that is
/// known before it is worked on.
fn currency(world: &World, call: &Call<'_>) -> Option<String> {
    let number = |value: &Value| whole(value).or_else(|| value.as_str()?.parse().ok());
    let of_group = || world.groups.get(call.at("target_group_id")).map(|group| group.business_unit);
    let of_path = || call.at("business_unit_id").parse().ok();
    let unit = first(&call.body, &["business_unit_id"]).and_then(number).or_else(of_path).or_else(of_group)?;
    world.account.business_unit(unit).map(|unit| unit.currency.clone())
}

struct Checker<'w> {
    world: &'w World,
    currency: Option<String>,
    wrong: Vec<(String, String)>,
}

/// Every allowed value, none left out.
fn one_of(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

impl Checker<'_> {
    fn tolerates(&self, tolerance: Tolerance) -> bool {
        self.world.settings.tolerances.contains(&tolerance)
    }

    fn add(&mut self, tolerance: Tolerance, name: &str, got: impl std::fmt::Display, allowed: impl Into<String>) {
        if !self.tolerates(tolerance) {
            self.wrong.push((name.to_owned(), format!("got {got}, allowed: {}", allowed.into())));
        }
    }

    /// Looks at a value and everything in it. `question` is the one whose
    /// options are told.
    fn walk(&mut self, at: &str, value: &Value, question: Option<i64>) {
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.walk(&format!("{at}.{number}"), item, question);
                }
            }
            Value::Object(map) => {
                let question = map.get("question_id").and_then(whole).or(question);
                for (name, value) in map {
                    let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                    self.property(&at, name, value, question);
                    self.walk(&at, value, question);
                }
            }
            _ => {}
        }
    }

    fn property(&mut self, at: &str, name: &str, value: &Value, question: Option<i64>) {
        match (name, value) {
            ("locale", Value::String(locale)) => self.locale(at, locale),
            ("locales", Value::Array(items)) => {
                for (number, item) in items.iter().enumerate() {
                    self.locale(&format!("{at}.{number}"), item.as_str().unwrap_or_default());
                }
            }
            ("country_code", Value::String(country)) => self.country(at, country),
            ("question_id", _) => {
                if let Some(id) = whole(value).filter(|id| self.world.market.question(*id).is_none()) {
                    let known = one_of(self.world.market.questions.iter().map(|question| question.id));
                    self.add(Tolerance::UnknownQuestions, at, id, known);
                }
            }
            ("option", Value::String(option)) => self.option(at, question, option),
            ("client_id", _) => {
                let clients = &self.world.account.clients;
                if let Some(id) = whole(value).filter(|id| !clients.iter().any(|(known, _)| known == id)) {
                    self.add(Tolerance::UnknownClients, at, id, one_of(clients.iter().map(|(known, _)| known)));
                }
            }
            ("study_type_code", Value::String(code)) => {
                self.code(Tolerance::UnknownStudyTypes, at, code, codes(STUDY_TYPES));
            }
            ("industry_code", Value::String(code)) => {
                self.code(Tolerance::UnknownIndustries, at, code, codes(INDUSTRIES));
            }
            ("industry_lockout_code", Value::String(code)) => {
                self.code(Tolerance::UnknownIndustries, at, code, codes(LOCKOUTS));
            }
            ("suppliers" | "supplier_ids" | "blocked_supplier_ids", Value::Array(items)) => {
                for (number, item) in items.iter().enumerate() {
                    let id = item.get("id").or_else(|| item.get("supplier_id")).unwrap_or(item);
                    self.supplier(&format!("{at}.{number}"), id);
                }
            }
            ("supplier_id", _) => self.supplier(at, value),
            ("live_url" | "test_url", Value::String(url)) if !url.contains("[%RID%]") => {
                self.add(Tolerance::LinksWithoutRid, at, url, "an address with [%RID%] in it");
            }
            ("fielding_specification", Value::Object(spec)) => {
                let start = spec.get("start_at").and_then(Value::as_str);
                self.start(&format!("{at}.start_at"), start.unwrap_or_default());
            }
            _ if PRICES.contains(&name) => self.amount(at, value, true),
            _ if AMOUNTS.contains(&name) => self.amount(at, value, false),
            _ => {}
        }
    }

    fn locale(&mut self, at: &str, locale: &str) {
        if !locales().any(|known| known == locale) {
            self.add(Tolerance::UnknownLocales, at, locale, one_of(locales()));
        }
    }

    fn country(&mut self, at: &str, country: &str) {
        if !PLACES.iter().any(|(known, ..)| known.eq_ignore_ascii_case(country)) {
            self.add(Tolerance::UnknownLocales, at, country, one_of(PLACES.iter().map(|(known, ..)| known)));
        }
    }

    fn code(&mut self, tolerance: Tolerance, at: &str, code: &str, known: Vec<String>) {
        if !known.iter().any(|own| own == code) {
            self.add(tolerance, at, code, one_of(known));
        }
    }

    fn option(&mut self, at: &str, question: Option<i64>, option: &str) {
        let Some(question) = question.and_then(|id| self.world.market.question(id)) else {
            return;
        };
        let known: Vec<String> = question.options.iter().map(|(id, _)| id.clone()).collect();
        // Questions without a list take any answer.
        if !known.is_empty() && !known.iter().any(|own| own == option) {
            self.add(Tolerance::UnknownOptions, at, option, one_of(known));
        }
    }

    fn supplier(&mut self, at: &str, id: &Value) {
        let Some(id) = whole(id).or_else(|| id.as_str()?.trim().parse().ok()) else {
            return;
        };
        if !self.world.market.supplier_ids().any(|known| known == id) {
            self.add(Tolerance::UnknownSuppliers, at, id, one_of(self.world.market.supplier_ids()));
        }
    }

    /// A draft's start; the caller's clock may be a little behind.
    fn start(&mut self, at: &str, given: &str) {
        let Some(start) = read(given) else {
            return;
        };
        let later = |by| plus(self.world.now(), by);
        let (earliest, usual) = (later(-CLOCK_SLACK), later(NOTICE));
        if start < earliest {
            self.add(Tolerance::PastStarts, at, given, format!("{} or later", text(self.world.now())));
        } else if start < plus(usual, -CLOCK_SLACK) {
            self.add(Tolerance::EarlyStarts, at, given, format!("{} or later", text(usual)));
        }
    }

    fn amount(&mut self, at: &str, given: &Value, is_price: bool) {
        let [value_name, currency_name] = money_names(given);
        let part = |name: &str| given.get(name).and_then(Value::as_str);
        let (value, Some(own)) = (part(value_name), part(currency_name)) else {
            return;
        };
        if let Some(currency) = self.currency.clone().filter(|currency| currency != own) {
            self.add(Tolerance::AnyCurrency, &format!("{at}.{currency_name}"), own, currency);
        }
        // The limit is not known in a currency that is not.
        let Some(most) = rate(own).filter(|_| is_price).and_then(|rate| Decimal::try_from(rate).ok()) else {
            return;
        };
        let most = Decimal::from(HIGHEST_PRICE_USD) * most;
        if value.and_then(|value| value.parse::<Decimal>().ok()).is_some_and(|value| value > most) {
            let allowed = format!("{} {own} at most", most.normalize());
            self.add(Tolerance::AnyPrice, &format!("{at}.{value_name}"), value.unwrap_or_default(), allowed);
        }
    }
}

/// What the names of conditions end with, in both editions.
const EDITIONS: [&str; 2] = ["_conditions_details", "_conditions_details_template"];

/// The body with each condition under the name that it has in its other
/// edition, where it has conditions at all.
pub(crate) fn other_edition(tolerances: &BTreeSet<Tolerance>, body: &Value) -> Option<Value> {
    let mut body = body.clone();
    (tolerances.contains(&Tolerance::ConditionEditions) && rename_conditions(&mut body)).then_some(body)
}

fn rename_conditions(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= rename_conditions(item);
            }
            any
        }
        Value::Object(map) => {
            let mut any = false;
            for (name, value) in map {
                let [plain, template] = EDITIONS;
                let other = value.as_str().filter(|_| name == "object").and_then(|own| {
                    let shorter = own.strip_suffix(template).map(|kind| format!("{kind}{plain}"));
                    shorter.or_else(|| own.strip_suffix(plain).map(|kind| format!("{kind}{template}")))
                });
                match other {
                    Some(other) => {
                        *value = Value::String(other);
                        any = true;
                    }
                    None => any |= rename_conditions(value),
                }
            }
            any
        }
        _ => false,
    }
}

/// Puts numbers in the place of texts that spell them, and texts in the place
/// of ids that are numbers, where the document asks for them; what was
/// changed, for the log.
pub(crate) fn other_types(
    tolerances: &BTreeSet<Tolerance>,
    violations: &[Violation],
    body: &Value,
) -> Option<(Value, Vec<String>)> {
    let (mut body, mut notes) = (body.clone(), Vec::new());
    for violation in violations.iter().filter(|violation| violation.rule == "type") {
        let crate::contract::Place::Body(pointer) = &violation.place else {
            continue;
        };
        let Some(value) = body.pointer_mut(pointer) else {
            continue;
        };
        let name = violation.name();
        let is_id = name.rsplit('.').next().is_some_and(|last| last == "id" || last.ends_with("_id"));
        match value {
            Value::String(text) if tolerances.contains(&Tolerance::NumbersAsText) => {
                if let Ok(number) = serde_json::from_str(text) {
                    *value = Value::Number(number);
                    notes.push(format!("{name}: a number was sent as text"));
                }
            }
            Value::Number(number) if is_id && number.is_i64() && tolerances.contains(&Tolerance::IdsAsNumbers) => {
                *value = Value::String(number.to_string());
                notes.push(format!("{name}: an id was sent as a number"));
            }
            _ => {}
        }
    }
    (!notes.is_empty()).then_some((body, notes))
}
