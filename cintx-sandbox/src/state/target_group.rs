//! Target groups: what was asked for, and the one run they may have.
//! What has become of its respondents stands in its ledger.

use super::audience::Audience;
use super::bounded_map::approximate_size;
use super::fielding::{Run, RunStatus};
use super::ledger::Ledger;
use super::supply::Supply;
use super::{Account, locale, rate_card};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Amounts beyond 10^12 are not taken, so that every sum of them can be written.
pub(crate) const MAX_AMOUNT: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);

/// A decimal amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Money {
    pub(crate) value: String,
    pub(crate) currency: String,
}

/// A target group, draft or launched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) id: String,
    pub(crate) human_id: String,
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) business_unit: i64,
    pub(crate) locale: String,
    pub(crate) collects_pii: bool,
    pub(crate) study_type: String,
    pub(crate) industry: String,
    pub(crate) industry_lockout: String,
    pub(crate) manager: String,
    pub(crate) client_id: Option<i64>,
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) goal: u64,
    pub(crate) interview_minutes: u64,
    pub(crate) incidence: f64,
    pub(crate) price: Option<Money>,
    pub(crate) price_note: Option<Money>,
    pub(crate) live_url: Option<String>,
    pub(crate) test_url: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) filling_strategy: String,
    pub(crate) audience: Audience,
    /// Parts of the draft that the simulation keeps as they were sent:
    /// exclusions and the like.
    pub(crate) kept: Map<String, Value>,
    pub(crate) supply: Supply,
    /// The modules of the fielding assistant that are on.
    pub(crate) assistant: Value,
    pub(crate) assistant_version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) run: Option<Run>,
    /// What has become of its respondents.
    pub(crate) ledger: Ledger,
    /// Whether respondents of the project's other groups are left out.
    pub(crate) project_exclusion: bool,
    pub(crate) project_exclusion_at: Option<Timestamp>,
    /// Its respondents, in the order in which they came.
    pub(crate) rids: Vec<String>,
    /// Arrivals in a row that found no place.
    pub(crate) turned_away_in_a_row: u32,
    /// Unique codes that respondents have taken.
    pub(crate) codes_taken: u64,
    /// Fraction of a complete carried over, so that rates are kept exactly.
    pub(crate) credit: f64,
    /// When the next one may come; other arrivals on the schedule were given up.
    pub(crate) arrival_at: Option<Timestamp>,
}

impl TargetGroup {
    /// A draft that asks for nothing yet and has met nobody.
    pub(crate) fn new(
        id: String,
        human_id: String,
        project_id: String,
        created_at: Timestamp,
        (start_at, end_at): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            id,
            human_id,
            project_id,
            name: String::new(),
            business_unit: 0,
            locale: String::new(),
            collects_pii: false,
            study_type: String::new(),
            industry: String::new(),
            industry_lockout: String::new(),
            manager: String::new(),
            client_id: None,
            start_at,
            end_at,
            goal: 0,
            interview_minutes: 0,
            incidence: 1.0,
            price: None,
            price_note: None,
            live_url: None,
            test_url: None,
            reference: None,
            filling_strategy: String::new(),
            audience: Audience::default(),
            kept: Map::new(),
            supply: Supply::default(),
            assistant: Value::Null,
            assistant_version: 1,
            created_at,
            changed_at: created_at,
            run: None,
            ledger: Ledger::default(),
            project_exclusion: false,
            project_exclusion_at: None,
            rids: Vec::new(),
            turned_away_in_a_row: 0,
            codes_taken: 0,
            credit: 0.0,
            arrival_at: None,
        }
    }

    /// The status, lower case.
    pub(crate) fn status(&self) -> &'static str {
        match &self.run {
            None => "draft",
            Some(run) => run.status.name(),
        }
    }

    pub(crate) fn is_draft(&self) -> bool {
        self.run.is_none()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.status == RunStatus::Live)
    }

    /// Whether it is in field, or will be.
    pub(crate) fn is_in_use(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.status != RunStatus::Completed)
    }

    /// When fielding begins: as asked for, or as the run says.
    pub(crate) fn start(&self) -> Timestamp {
        self.run.as_ref().map_or(self.start_at, |run| run.start_at)
    }

    /// When fielding ends.
    pub(crate) fn end(&self) -> Timestamp {
        self.run.as_ref().map_or(self.end_at, |run| run.end_at)
    }

    /// The end of the soft launch and the part of the goal that is open until
    /// then, where the assistant does one.
    pub(crate) fn soft_launch(&self) -> Option<(Timestamp, u64)> {
        let soft = self.assistant.get("soft_launch")?;
        let end = soft.get("end_at").and_then(Value::as_str)?.parse().ok()?;
        let part = soft.get("filling_goal_percentage").and_then(Value::as_u64).unwrap_or(100);
        Some((end, (self.goal * part).div_ceil(100)))
    }

    /// What it takes in memory, roughly, in bytes. Its respondents are those
    /// of the sessions' shelf and not counted again. Its books are left out:
    /// they grow by themselves, and nobody is to lose a group for that.
    pub(crate) fn weight(&self) -> usize {
        let suppliers: usize =
            self.supply.shares().map(|share| 150 + share.name.len() + 8 * share.suppliers.len()).sum();
        let blocked = 8 * (self.supply.blocked.len() + self.supply.private_blocked.len());
        let texts = [&self.live_url, &self.test_url, &self.reference].into_iter().flatten().map(String::len);
        let kept: usize = self.kept.values().map(approximate_size).sum();
        3_000
            + self.name.len()
            + texts.sum::<usize>()
            + suppliers
            + blocked
            + kept
            + approximate_size(&self.assistant)
            + self.audience.weight()
    }

    /// What a complete costs now, in its business unit's currency: its own price, or that of the rate card.
    pub(crate) fn price(&self, account: &Account) -> Decimal {
        match &self.price {
            Some(money) => money.value.parse::<Decimal>().unwrap_or_default().min(MAX_AMOUNT),
            None => {
                let (country, currency) = (locale::country(&self.locale), account.currency_of(self.business_unit));
                rate_card::price(country, self.interview_minutes as f64, self.incidence, currency)
            }
        }
    }

    pub(crate) fn pricing_model(&self) -> &'static str {
        if self.price.is_some() { "dynamic" } else { "rate_card" }
    }
}
