//! The fielding assistant on the wire: the same JSON in every version, in several sets of types. It is written and
//! read as JSON here, once, and held against the types where it is used.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::{AMOUNT, Answer, Wire, amount, timestamp};
use crate::fielding::assistant::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use crate::optimistic::WithEtag;
use crate::types::Money;
use crate::types::ids::{ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait AssistantWire: Wire {
    /// Whether a target group can be paced like another.
    const GEMINI: bool;

    fn assistant(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<WithEtag<FieldingAssistant>>> + Send;

    fn set_assistant(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        assistant: &FieldingAssistant,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;
}

/// The modules that are on.
pub(crate) fn to_modules(assistant: &FieldingAssistant) -> Value {
    let mut modules = Map::new();
    let mut set = |module: &str, value: Value| modules.insert(module.to_owned(), value);
    let amounts = |kind: &str, amounts: &[(&str, &Option<Money>)]| {
        let given =
            amounts.iter().filter_map(|(name, money)| Some(((*name).to_owned(), amount(money.as_ref()?, AMOUNT))));
        let mut object: Map<String, Value> = given.collect();
        object.insert("type".into(), kind.into());
        Value::Object(object)
    };
    match &assistant.pricing {
        Some(Pricing::Dynamic { total_budget, maximum_cpi, minimum_cpi }) => {
            let parts = [("total_budget", total_budget), ("maximum_cpi", maximum_cpi), ("minimum_cpi", minimum_cpi)];
            set("pricing", amounts("dynamic", &parts));
        }
        Some(Pricing::RateCard { maximum_cpi, boost_cpi }) => {
            set("pricing", amounts("rate_card", &[("maximum_cpi", maximum_cpi), ("boost_cpi", boost_cpi)]));
        }
        Some(Pricing::Unknown(map)) => drop(set("pricing", Value::Object(map.clone()))),
        None => {}
    }
    match &assistant.pacing {
        Some(Pacing::Linear(interval)) => {
            set("pacing", json!({ "type": "linear", "increment_interval": interval.to_string() }));
        }
        Some(Pacing::Adaptive(interval)) => {
            set("pacing", json!({ "type": "adaptive", "increment_interval": interval.to_string() }));
        }
        Some(Pacing::Gemini(exposed)) => {
            set("pacing", json!({ "type": "gemini", "exposed_target_group_id": exposed.as_str() }));
        }
        Some(Pacing::Unknown(map)) => drop(set("pacing", Value::Object(map.clone()))),
        None => {}
    }
    if let Some(QuotaOverlay { prevent_overfill, balance_fill }) = assistant.quota_overlay {
        set("quota_overlay", json!({ "prevent_overfill": prevent_overfill, "balance_fill": balance_fill }));
    }
    match &assistant.soft_launch {
        Some(SoftLaunch::Until { end, goal_percent, strictness_percent }) => {
            let module = json!({
                "end_at": timestamp(*end),
                "filling_goal_percentage": goal_percent,
                "demographics_strictness_percentage": strictness_percent,
            });
            set("soft_launch", module);
        }
        Some(SoftLaunch::Unknown(map)) => drop(set("soft_launch", Value::Object(map.clone()))),
        None => {}
    }
    Value::Object(modules)
}

/// Reads the modules that are on. What cannot be read is kept as it came, so that it is written back.
pub(crate) fn from_modules(modules: &Value) -> FieldingAssistant {
    let overlay = &modules["quota_overlay"];
    FieldingAssistant {
        pricing: modules["pricing"]
            .as_object()
            .map(|map| pricing(map).unwrap_or_else(|| Pricing::Unknown(map.clone()))),
        pacing: modules["pacing"].as_object().map(|map| pacing(map).unwrap_or_else(|| Pacing::Unknown(map.clone()))),
        quota_overlay: overlay.is_object().then(|| QuotaOverlay {
            prevent_overfill: overlay["prevent_overfill"].as_bool().unwrap_or_default(),
            balance_fill: overlay["balance_fill"].as_bool().unwrap_or_default(),
        }),
        soft_launch: modules["soft_launch"]
            .as_object()
            .map(|map| soft_launch(map).unwrap_or_else(|| SoftLaunch::Unknown(map.clone()))),
    }
}

fn pricing(module: &Map<String, Value>) -> Option<Pricing> {
    // Nothing where there is no such amount, an error where it cannot be read.
    let money = |name: &str| match module.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(part) => super::money(part["value"].as_str(), part["currency_code"].as_str()).map(Some),
    };
    match module.get("type")?.as_str()? {
        "dynamic" => Some(Pricing::Dynamic {
            total_budget: money("total_budget")?,
            maximum_cpi: money("maximum_cpi")?,
            minimum_cpi: money("minimum_cpi")?,
        }),
        "rate_card" => Some(Pricing::RateCard { maximum_cpi: money("maximum_cpi")?, boost_cpi: money("boost_cpi")? }),
        _ => None,
    }
}

fn pacing(module: &Map<String, Value>) -> Option<Pacing> {
    let text = |name: &str| module.get(name)?.as_str();
    match text("type")? {
        "linear" => text("increment_interval")?.parse().ok().map(Pacing::Linear),
        "adaptive" => text("increment_interval")?.parse().ok().map(Pacing::Adaptive),
        "gemini" => Some(Pacing::Gemini(TargetGroupId::new(text("exposed_target_group_id")?))),
        _ => None,
    }
}

fn soft_launch(module: &Map<String, Value>) -> Option<SoftLaunch> {
    let percent = |name: &str| module.get(name)?.as_u64().and_then(|percent| u8::try_from(percent).ok());
    Some(SoftLaunch::Until {
        end: super::moment::moment(module.get("end_at")?.as_str()?)?,
        goal_percent: percent("filling_goal_percentage")?,
        strictness_percent: percent("demographics_strictness_percentage")?,
    })
}
