//! The fielding assistant on the wire: the same JSON in every version, in several sets of types. It is written and
//! read as JSON here, once, and held against the types where it is used.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::{Answer, Wire, timestamp};
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

fn amount(money: &Money) -> Value {
    json!({ "value": money.value().to_string(), "currency_code": money.currency() })
}

/// The modules that are on.
pub(crate) fn to_modules(assistant: &FieldingAssistant) -> Value {
    let mut modules = Map::new();
    let mut set = |module: &str, value: Value| modules.insert(module.to_owned(), value);
    let amounts = |kind: &str, amounts: &[(&str, &Option<Money>)]| {
        let given = amounts.iter().filter_map(|(name, money)| Some(((*name).to_owned(), amount(money.as_ref()?))));
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
    if let Some(SoftLaunch { end, goal_percent, strictness_percent }) = &assistant.soft_launch {
        let module = json!({
            "end_at": timestamp(*end),
            "filling_goal_percentage": goal_percent,
            "demographics_strictness_percentage": strictness_percent,
        });
        set("soft_launch", module);
    }
    Value::Object(modules)
}

/// Reads the modules that are on.
pub(crate) fn from_modules(modules: &Value) -> FieldingAssistant {
    let money = |part: &Value| Money::new(part["value"].as_str()?, part["currency_code"].as_str()?).ok();
    let pricing = modules["pricing"].as_object().map(|map| {
        let part = &modules["pricing"];
        match part["type"].as_str() {
            Some("dynamic") => Pricing::Dynamic {
                total_budget: money(&part["total_budget"]),
                maximum_cpi: money(&part["maximum_cpi"]),
                minimum_cpi: money(&part["minimum_cpi"]),
            },
            Some("rate_card") => {
                Pricing::RateCard { maximum_cpi: money(&part["maximum_cpi"]), boost_cpi: money(&part["boost_cpi"]) }
            }
            _ => Pricing::Unknown(map.clone()),
        }
    });
    let pacing = modules["pacing"].as_object().map(|map| {
        let part = &modules["pacing"];
        let interval = || part["increment_interval"].as_str()?.parse().ok();
        let known = match part["type"].as_str() {
            Some("linear") => interval().map(Pacing::Linear),
            Some("adaptive") => interval().map(Pacing::Adaptive),
            Some("gemini") => part["exposed_target_group_id"].as_str().map(|id| Pacing::Gemini(TargetGroupId::new(id))),
            _ => None,
        };
        known.unwrap_or_else(|| Pacing::Unknown(map.clone()))
    });
    let overlay = &modules["quota_overlay"];
    let soft = &modules["soft_launch"];
    let percent = |part: &Value| part.as_u64().and_then(|percent| u8::try_from(percent).ok());
    let soft_launch = || {
        Some(SoftLaunch {
            end: super::moment::moment(soft["end_at"].as_str()?)?,
            goal_percent: percent(&soft["filling_goal_percentage"])?,
            strictness_percent: percent(&soft["demographics_strictness_percentage"])?,
        })
    };
    FieldingAssistant {
        pricing,
        pacing,
        quota_overlay: overlay.is_object().then(|| QuotaOverlay {
            prevent_overfill: overlay["prevent_overfill"].as_bool().unwrap_or_default(),
            balance_fill: overlay["balance_fill"].as_bool().unwrap_or_default(),
        }),
        soft_launch: soft_launch(),
    }
}
