//! Scenarios: how the people of the simulated field behave, in numbers that a
//! file can set. What each number does stands with it.

use crate::state::market::PLACES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the simulated field behaves.
///
/// The default is quick and even, made for tests: respondents come around the
/// clock at the sandbox's pace, stay as long as [`Builder::session_time`] says,
/// and quotas fill as asked. [`Scenario::lifelike`] has days and weeks,
/// countries and suppliers, interviews of realistic length and quotas that
/// fill unevenly.
///
/// ```
/// use cintx_sandbox::Scenario;
///
/// let scenario = Scenario::read("[outcomes]\nincidence_spread = 0.2")?;
/// assert_eq!(scenario.outcomes.incidence_spread, Some(0.2));
/// # Ok::<(), cintx_sandbox::ScenarioError>(())
/// ```
///
/// [`Builder::session_time`]: crate::Builder::session_time
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// When respondents come, and how many.
    pub arrivals: Arrivals,
    /// How the price draws them.
    pub price: PriceResponse,
    /// How long they stay.
    pub sessions: Sessions,
    /// How their interviews end.
    pub outcomes: Outcomes,
    /// Who they are.
    pub quotas: Quotas,
    /// Countries by their lower-case two letters; one that is not named is as
    /// [`Country::default`] says.
    pub countries: BTreeMap<String, Country>,
    /// Suppliers by id; one that is not named is as [`Supplier::default`] says.
    pub suppliers: BTreeMap<String, Supplier>,
}

/// When respondents come: a Poisson process whose rate follows the hour, the
/// day of the week, country, suppliers and price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Arrivals {
    /// Respondents per day for a target group that all suppliers may fill, at
    /// a fair price in a country of usual size. Without it, one comes for each
    /// [`Builder::field_pace`](crate::Builder::field_pace), whatever the
    /// suppliers.
    pub per_day: Option<f64>,
    /// The weight of each hour of the local day; 24, or none for even days.
    pub hours: Vec<f64>,
    /// The weight of each day from Monday to Sunday; 7, or none for even weeks.
    pub week: Vec<f64>,
    /// Arrivals in a row that may find no place before fewer and fewer come.
    pub patience: u32,
    /// The part of arrivals who have taken part in another target group
    /// before; exclusions are about them.
    pub returning: f64,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { per_day: None, hours: Vec::new(), week: Vec::new(), patience: 0, returning: 0.05 }
    }
}

/// How many come at a price, as a multiple of those who come at a fair one.
///
/// With `r` as the price by the fair price: nobody more than `least` below the
/// floor, `((r - floor) / (1 - floor)) ^ steepness` up to a fair price, and
/// `1 + gain * ln(r)` above it, up to `most`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PriceResponse {
    /// The part of the fair price below which nobody is drawn.
    pub floor: f64,
    /// How fast the response falls between a fair price and the floor.
    pub steepness: f64,
    /// What a price above the fair one adds.
    pub gain: f64,
    /// The least that come, however poor the price.
    pub least: f64,
    /// The most that come, however good the price.
    pub most: f64,
}

impl Default for PriceResponse {
    fn default() -> Self {
        Self { floor: 0.0, steepness: 1.5, gain: 0.4, least: 0.05, most: 4.0 }
    }
}

impl PriceResponse {
    /// How many come at a price, given as a multiple of the fair one.
    pub fn at(&self, ratio: f64) -> f64 {
        let response = if ratio >= 1.0 {
            1.0 + self.gain * ratio.ln()
        } else {
            ((ratio - self.floor) / (1.0 - self.floor)).max(0.0).powf(self.steepness)
        };
        response.max(self.least).min(self.most)
    }
}

/// How long respondents stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Sessions {
    /// Interviews last around the expected length: a log-normal distribution
    /// with that median and this deviation of its logarithm. Without it, all
    /// last as long as [`Builder::session_time`](crate::Builder::session_time).
    pub spread: Option<f64>,
    /// The part of an interview after which those leave who do not qualify.
    pub screen_out: f64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { spread: None, screen_out: 0.15 }
    }
}

/// How interviews end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Outcomes {
    /// The part that drops out of the shortest interview; with 1, everybody does.
    pub drop_out: f64,
    /// What each minute of the expected length adds to it.
    pub drop_out_per_minute: f64,
    /// The part that fails the security checks.
    pub security: f64,
    /// The part that is over quota in the client's survey.
    pub over_quota: f64,
    /// How far a target group's true incidence may lie from the expected one:
    /// the deviation of a beta distribution around it, by the greatest there
    /// can be, from 0 to below 1. Each respondent then qualifies by chance.
    /// Without it, the expected part qualifies at a steady rate, so that small
    /// samples look like large ones.
    pub incidence_spread: Option<f64>,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self { drop_out: 0.08, drop_out_per_minute: 0.0, security: 0.03, over_quota: 0.04, incidence_spread: None }
    }
}

/// Who comes, as far as quotas ask.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Quotas {
    /// From 0, where people come in the proportions that the quotas still
    /// need, to 1, where they come in those of the country, so that some
    /// quotas close early and others late.
    pub skew: f64,
    /// The part of those whose quota is full that enters the client's survey
    /// all the same, and leaves it over quota.
    pub enter_full: f64,
}

/// A country's people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Country {
    /// Hours that local time is ahead of UTC.
    pub utc_offset_hours: f64,
    /// Respondents, as a multiple of those of a country of usual size.
    pub arrivals: f64,
    /// The part of women among them.
    pub women: f64,
    /// Their ages, in bands; even from 18 to 99 where none is given.
    pub ages: Vec<AgeBand>,
}

/// A country that is not named.
static USUAL_COUNTRY: Country = Country { utc_offset_hours: 0.0, arrivals: 1.0, women: 0.5, ages: Vec::new() };

impl Default for Country {
    fn default() -> Self {
        USUAL_COUNTRY.clone()
    }
}

/// People of some ages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AgeBand {
    /// The youngest.
    pub from: i64,
    /// The oldest.
    pub to: i64,
    /// The weight of the band among all.
    pub part: f64,
}

/// A supplier's people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Supplier {
    /// How many it sends, by what a usual supplier sends.
    pub size: f64,
    /// The same for single countries by their lower-case two letters, multiplied with it.
    pub countries: BTreeMap<String, f64>,
    /// How many of its people fail the security checks, by the usual part.
    pub security: f64,
}

impl Default for Supplier {
    fn default() -> Self {
        Self { size: 1.0, countries: BTreeMap::new(), security: 1.0 }
    }
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It is neither TOML nor JSON of a scenario.
    #[error("the scenario cannot be read: {0}")]
    Unreadable(String),
    /// A number is outside of what is allowed.
    #[error("{field} is {got}; {allowed}")]
    Invalid {
        /// The number.
        field: String,
        /// What it is.
        got: String,
        /// What it may be.
        allowed: &'static str,
    },
}

impl Scenario {
    /// Reads a scenario from TOML, or from JSON where the text begins with a
    /// brace. What is left out is as in the default.
    ///
    /// # Errors
    /// If it is neither, has a name that is not known, or a number that cannot be.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let unreadable =
            |error: &dyn std::fmt::Display| ScenarioError::Unreadable(crate::reading::in_words(&error.to_string()));
        let scenario: Self = if text.trim_start().starts_with('{') {
            crate::reading::from_json(text.as_bytes()).map_err(|error| unreadable(&error))?
        } else {
            toml::from_str(text).map_err(|error| unreadable(&error))?
        };
        scenario.check()?;
        Ok(scenario)
    }

    /// A scenario that comes with the sandbox: `quick`, the default, or
    /// `lifelike`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "quick" => Some(Self::default()),
            "lifelike" => Some(Self::lifelike()),
            _ => None,
        }
    }

    /// A field like those of real life, also in `scenarios/lifelike.toml`. Made
    /// for a hurried clock: a study takes days in it.
    pub fn lifelike() -> Self {
        let hours = [
            0.35, 0.2, 0.12, 0.1, 0.12, 0.25, 0.5, 0.8, 1.0, 1.1, 1.15, 1.2, 1.25, 1.2, 1.15, 1.15, 1.2, 1.3, 1.45,
            1.6, 1.65, 1.5, 1.1, 0.65,
        ];
        let ages = |young: f64, middle: f64, old: f64| {
            [(18, 34, young), (35, 54, middle), (55, 99, old)].map(|(from, to, part)| AgeBand { from, to, part }).into()
        };
        let country = |code: &str, utc_offset_hours, arrivals, women, ages| {
            (code.to_owned(), Country { utc_offset_hours, arrivals, women, ages })
        };
        let supplier = |id: i64, size, security| (id.to_string(), Supplier { size, security, ..Supplier::default() });
        let mut suppliers = BTreeMap::from([
            supplier(1101, 1.6, 0.7),
            supplier(1102, 1.0, 1.0),
            supplier(1103, 1.3, 1.0),
            supplier(1104, 0.6, 0.5),
            supplier(1105, 1.4, 1.8),
            supplier(1106, 0.5, 1.0),
            supplier(1107, 0.6, 1.2),
        ]);
        for (id, code, factor) in [("1101", "gb", 1.5), ("1103", "us", 1.4), ("1104", "de", 2.0), ("1105", "in", 2.5)] {
            suppliers.entry(id.to_owned()).or_default().countries.insert(code.to_owned(), factor);
        }
        Self {
            arrivals: Arrivals {
                per_day: Some(400.0),
                hours: hours.into(),
                week: vec![1.0, 1.05, 1.05, 1.0, 0.9, 0.95, 1.05],
                patience: 100,
                returning: 0.1,
            },
            price: PriceResponse { floor: 0.35, least: 0.0, most: 2.5, ..PriceResponse::default() },
            sessions: Sessions { spread: Some(0.35), ..Sessions::default() },
            outcomes: Outcomes {
                drop_out: 0.03,
                drop_out_per_minute: 0.006,
                security: 0.02,
                over_quota: 0.01,
                incidence_spread: Some(0.1),
            },
            quotas: Quotas { skew: 1.0, enter_full: 0.1 },
            countries: BTreeMap::from([
                country("us", -6.0, 2.0, 0.56, ages(0.3, 0.36, 0.34)),
                country("gb", 0.0, 1.2, 0.54, ages(0.26, 0.36, 0.38)),
                country("de", 1.0, 1.0, 0.5, ages(0.28, 0.38, 0.34)),
                country("fr", 1.0, 1.0, 0.53, ages(0.3, 0.38, 0.32)),
                country("in", 5.5, 1.5, 0.3, ages(0.7, 0.25, 0.05)),
                country("br", -3.0, 1.2, 0.52, ages(0.52, 0.36, 0.12)),
                country("jp", 9.0, 0.8, 0.45, ages(0.2, 0.45, 0.35)),
            ]),
            suppliers,
        }
    }

    /// What cannot be.
    pub(crate) fn check(&self) -> Result<(), ScenarioError> {
        let Arrivals { per_day, hours, week, returning, .. } = &self.arrivals;
        let (price, outcomes) = (&self.price, &self.outcomes);
        positive("arrivals.per_day", per_day.unwrap_or(1.0), 1_000_000.0)?;
        weights("arrivals.hours", hours, 24)?;
        weights("arrivals.week", week, 7)?;
        for (field, part) in [
            ("arrivals.returning", *returning),
            ("sessions.screen_out", self.sessions.screen_out),
            ("outcomes.drop_out", outcomes.drop_out),
            ("outcomes.drop_out_per_minute", outcomes.drop_out_per_minute),
            ("outcomes.security", outcomes.security),
            ("outcomes.over_quota", outcomes.over_quota),
            ("quotas.skew", self.quotas.skew),
            ("quotas.enter_full", self.quotas.enter_full),
        ] {
            within(field, part, 0.0..=1.0, "0 to 1 is allowed")?;
        }
        for (field, part) in [("price.floor", price.floor), ("price.least", price.least)] {
            within(field, part, 0.0..=0.99, "0 to 0.99 is allowed")?;
        }
        within(
            "outcomes.incidence_spread",
            outcomes.incidence_spread.unwrap_or(0.0),
            0.0..=0.9,
            "0 to 0.9 is allowed",
        )?;
        within("sessions.spread", self.sessions.spread.unwrap_or(0.0), 0.0..=2.0, "0 to 2 is allowed")?;
        within("price.steepness", price.steepness, 0.0..=10.0, "0 to 10 is allowed")?;
        within("price.gain", price.gain, 0.0..=10.0, "0 to 10 is allowed")?;
        within("price.most", price.most, 1.0..=100.0, "1 to 100 is allowed")?;
        for (code, country) in &self.countries {
            check_country(code, country)?;
        }
        for (id, supplier) in &self.suppliers {
            if id.parse::<i64>().is_err() {
                return Err(invalid("suppliers", id, "a supplier is named by its number"));
            }
            let field = format!("suppliers.{id}.countries");
            supplier.countries.keys().try_for_each(|code| check_code(&field, code))?;
            for size in supplier.countries.values().chain([&supplier.size, &supplier.security]) {
                within(&format!("suppliers.{id}"), *size, 0.0..=100.0, "0 to 100 is allowed")?;
            }
        }
        Ok(())
    }

    pub(crate) fn country(&self, code: &str) -> &Country {
        self.countries.get(code).unwrap_or(&USUAL_COUNTRY)
    }

    /// How many a supplier sends in a country, by what a usual one sends.
    pub(crate) fn size(&self, supplier: i64, country: &str) -> f64 {
        let size = |supplier: &Supplier| supplier.size * supplier.countries.get(country).copied().unwrap_or(1.0);
        self.suppliers.get(&supplier.to_string()).map_or(1.0, size)
    }

    /// How many of a supplier's people fail the security checks.
    pub(crate) fn security(&self, supplier: i64) -> f64 {
        let factor = self.suppliers.get(&supplier.to_string()).map_or(1.0, |supplier| supplier.security);
        (self.outcomes.security * factor).min(1.0)
    }
}

fn invalid(field: &str, got: impl std::fmt::Display, allowed: &'static str) -> ScenarioError {
    ScenarioError::Invalid { field: field.to_owned(), got: got.to_string(), allowed }
}

fn within(
    field: &str,
    got: f64,
    allowed: std::ops::RangeInclusive<f64>,
    words: &'static str,
) -> Result<(), ScenarioError> {
    if allowed.contains(&got) { Ok(()) } else { Err(invalid(field, got, words)) }
}

fn positive(field: &str, got: f64, most: f64) -> Result<(), ScenarioError> {
    if got > 0.0 && got <= most {
        Ok(())
    } else {
        Err(invalid(field, got, "more than 0, a million at most, is allowed"))
    }
}

fn weights(field: &str, given: &[f64], count: usize) -> Result<(), ScenarioError> {
    let allowed = "one weight of 0 or more for each hour or day is needed, and not all of 0";
    let sound = given.iter().all(|weight| (0.0..=1_000.0).contains(weight)) && given.iter().sum::<f64>() > 0.0;
    if given.is_empty() || (given.len() == count && sound) {
        Ok(())
    } else {
        Err(invalid(field, format!("{given:?}"), allowed))
    }
}

/// Holds that a place has this code: of others nobody comes, so that a slip would not be seen.
fn check_code(field: &str, code: &str) -> Result<(), ScenarioError> {
    let is_known = PLACES.iter().any(|(place, _, _)| place.to_lowercase() == code);
    let allowed = "a country is named by the two letters that get_countries has for it, in lower case";
    if is_known { Ok(()) } else { Err(invalid(field, code, allowed)) }
}

fn check_country(code: &str, country: &Country) -> Result<(), ScenarioError> {
    let field = |name: &str| format!("countries.{code}.{name}");
    check_code("countries", code)?;
    within(&field("utc_offset_hours"), country.utc_offset_hours, -12.0..=14.0, "-12 to 14 is allowed")?;
    within(&field("arrivals"), country.arrivals, 0.0..=100.0, "0 to 100 is allowed")?;
    within(&field("women"), country.women, 0.0..=1.0, "0 to 1 is allowed")?;
    for band in &country.ages {
        if band.from > band.to || !(0..=120).contains(&band.from) || !(0..=120).contains(&band.to) {
            return Err(invalid(&field("ages"), format!("{}-{}", band.from, band.to), "ages from 0 to 120, in order"));
        }
        within(&field("ages.part"), band.part, 0.0..=1_000.0, "0 to 1000 is allowed")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_lifelike_scenario() {
        let file = include_str!("../scenarios/lifelike.toml");
        assert_eq!(Scenario::read(file).unwrap(), Scenario::lifelike());
        assert_eq!(Scenario::named("lifelike"), Some(Scenario::lifelike()));
        assert_eq!(Scenario::named("quick"), Some(Scenario::default()));
        assert_eq!(Scenario::named("slow"), None);
    }

    #[test]
    fn a_scenario_reads_back_as_it_was_written() {
        let json = serde_json::to_string(&Scenario::lifelike()).unwrap();
        assert_eq!(Scenario::read(&json).unwrap(), Scenario::lifelike());
        assert_eq!(Scenario::read("").unwrap(), Scenario::default());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (text, name) in [
            ("[arrivals]\nper_hour = 3", "per_hour"),
            ("[arrivals]\nper_day = 0", "arrivals.per_day"),
            ("[arrivals]\nhours = [1.0]", "arrivals.hours"),
            ("[arrivals]\nweek = [0,0,0,0,0,0,0]", "arrivals.week"),
            ("[outcomes]\nsecurity = 1.5", "outcomes.security"),
            ("[price]\nfloor = 1.0", "price.floor"),
            ("[countries.usa]", "countries"),
            ("[countries.US]", "countries is US"),
            ("[countries.uk]", "countries is uk"),
            ("[suppliers.1101]\ncountries = { US = 3.0 }", "suppliers.1101.countries is US"),
            ("[suppliers.1101]\ncountries = { usa = 3.0 }", "suppliers.1101.countries is usa"),
            ("[countries.us]\nwomen = 2", "countries.us.women"),
            ("[countries.us]\nages = [{ from = 9, to = 1, part = 1.0 }]", "countries.us.ages"),
            ("[suppliers.north]", "suppliers"),
            ("{\"price\": 3}", "read"),
        ] {
            let error = Scenario::read(text).unwrap_err().to_string();
            assert!(error.contains(name), "{text}: {error}");
        }
    }

    #[test]
    fn prices_draw_with_a_floor_and_falling_returns() {
        let price = Scenario::lifelike().price;
        assert_eq!((price.at(0.3), price.at(1.0)), (0.0, 1.0));
        let gains: Vec<f64> =
            [1.0, 2.0, 3.0, 4.0].windows(2).map(|pair| price.at(pair[1]) - price.at(pair[0])).collect();
        assert!(gains[0] > gains[1] && gains[1] > gains[2] && gains[2] > 0.0, "{gains:?}");
        assert!(price.at(1e9) <= 2.5);
        assert_eq!(Scenario::default().price.at(0.0), 0.05);
    }
}
