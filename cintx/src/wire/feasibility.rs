//! Feasibility on the wire: what is asked about an audience and a supply, written as JSON for either model, and one
//! way to read the answers, whose targets come with conditions since 2025-12-18 and in the order of the request before.

use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use serde_json::{Value, json};

use super::audience::{legacy, modern};
use super::quotas::{self, items};
use super::{AMOUNT, Answer, amount};
use crate::audience::{Audience, Condition, Question};
use crate::fielding::assistant::Pricing;
use crate::quota::TableKind;
use crate::supply::{Supply, SupplyGroup};
use crate::target_group::TargetGroupDraft;
use crate::target_group::feasibility::FeasibilitySettings;
use crate::target_group::feasibility::{Feasibility, SupplierGroupFeasibility, TargetFeasibility};
use crate::types::Money;

/// A target that feasibility was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    kind: TableKind,
    conditions: Vec<(i64, Condition)>,
    wanted: Option<u64>,
}

impl Asked {
    fn is_of(&self, conditions: &[(i64, Condition)]) -> bool {
        self.conditions.len() == conditions.len() && self.conditions.iter().all(|it| conditions.contains(it))
    }
}

/// What is added to the price of the rate card.
pub(crate) fn boost(draft: &TargetGroupDraft) -> Option<&Money> {
    match &draft.settings.assistant.pricing {
        Some(Pricing::RateCard { boost_cpi, .. }) => boost_cpi.as_ref(),
        _ => None,
    }
}

/// Refuses a surcharge on the rate card, in a version that does not take one.
pub(crate) fn refuse_boost(draft: &TargetGroupDraft, date: &str) -> Answer<()> {
    match boost(draft) {
        None => Ok(()),
        Some(boost) => {
            let reason = format!("has a boost_cpi of {boost}, expected none: {date} cannot estimate with one");
            Err(super::audience::refused("pricing", reason))
        }
    }
}

/// The supply of a draft: where nothing is said, the whole exchange counts.
pub(crate) fn unless_unrestricted(
    supply: &Supply,
    allocations: impl FnOnce(&Supply) -> Answer<Value>,
) -> Answer<Value> {
    if *supply == Supply::open_exchange() { Ok(Value::Null) } else { allocations(supply) }
}

/// The supply as a list, which does not name the share of the exchange: it gets what the groups leave. Nobody may
/// deliver nothing here, so groups that are given nothing are blocked.
pub(crate) fn allocation_list(supply: &Supply) -> Answer<Value> {
    let (groups, none): (Vec<_>, Vec<_>) = supply.groups.iter().partition(|group| *group.share.end() > 0);
    let ids = |suppliers: &[crate::SupplierId]| suppliers.iter().map(|id| id.get()).collect::<Vec<i64>>();
    let mut list: Vec<Value> = groups
        .iter()
        .zip(shares(&supply.exchange, &groups)?)
        .map(|(group, share)| {
            json!({
                "object": "group", "supplier_ids": ids(&group.suppliers),
                "percentage_min": share.start(), "percentage_max": share.end(),
            })
        })
        .collect();
    let mut blocked = ids(&supply.blocked);
    blocked.extend(none.iter().flat_map(|group| ids(&group.suppliers)));
    if !blocked.is_empty() {
        list.push(json!({ "object": "blocked", "supplier_ids": blocked }));
    }
    Ok(list.into())
}

/// The shares of groups that leave its own to the exchange: one group alone has what the exchange has not; of several,
/// no other shares than their own say the same.
fn shares(exchange: &RangeInclusive<u8>, groups: &[&SupplyGroup]) -> Answer<Vec<RangeInclusive<u8>>> {
    // More than 100 is refused before; that is no reason to subtract below nothing here.
    let rest = |percent: u8| 100_u8.saturating_sub(percent);
    let refused = |reason: String| Err(super::audience::refused("supply", reason));
    let shares: Vec<RangeInclusive<u8>> = match groups {
        [one] => {
            let least = *one.share.start().max(&rest(*exchange.end()));
            let most = *one.share.end().min(&rest(*exchange.start()));
            if least > most {
                let (name, share) = (&one.name, &one.share);
                return refused(format!("gives {name:?} {share:?} and the exchange {exchange:?} percent, never 100"));
            }
            vec![least..=most]
        }
        groups => groups.iter().map(|group| group.share.clone()).collect(),
    };
    let sum =
        |percent: fn(&RangeInclusive<u8>) -> u8| shares.iter().map(|share| u32::from(percent(share))).sum::<u32>();
    let least = 100_u32.saturating_sub(sum(|share| *share.end()));
    let most = 100_u32.saturating_sub(sum(|share| *share.start()));
    if u32::from(*exchange.end()) < most || u32::from(*exchange.start()) > least {
        let reason = format!(
            "gives the exchange {exchange:?} percent, expected the {least} to {most} that its groups leave: before \
             2025-12-18 feasibility takes the shares of groups alone"
        );
        return refused(reason);
    }
    Ok(shares)
}

/// The supply as a specification.
pub(crate) fn allocation_specification(supply: &Supply) -> Answer<Value> {
    Ok(super::supply::to_specification(supply, "suppliers", false))
}

/// The completes of a share of a goal, in hundredths of a percent.
fn of_goal(hundredths: u64, goal: u32) -> u64 {
    (hundredths * u64::from(goal) + 5_000) / 10_000
}

/// The `profiling` of a request, and the targets in it.
pub(crate) fn profiling(audience: &Audience, goal: u32) -> Answer<(Value, Vec<Asked>)> {
    if let Some(template) = &audience.template {
        let reason = format!("has the template {template}, expected questions: feasibility takes no template");
        return Err(super::audience::refused("audience", reason));
    }
    let profiling = modern::feasibility(audience, goal)?;
    let mut asked = Vec::new();
    for profile in items(&profiling, "profiles") {
        let kind = quotas::modern::kind(profile);
        asked.extend(items(profile, "targets").map(|target| {
            let quota = &target["quota"];
            let percent =
                || quota["completes_goal_percentage"].as_f64().map(|it| of_goal((it * 100.0).round() as u64, goal));
            Asked {
                kind,
                conditions: quotas::modern::conditions(target),
                wanted: quota["completes_goal"].as_u64().or_else(percent),
            }
        }));
    }
    Ok((profiling, asked))
}

/// The profiles of a request before 2025-12-18.
pub(crate) struct Profiles {
    pub(crate) regular: Value,
    /// Null where nothing is crossed.
    pub(crate) interlocked: Value,
    pub(crate) asked: Vec<Asked>,
}

/// The `profiles` and `interlocked_profiles` of a request, and the targets in them.
pub(crate) fn profiles(audience: &Audience, goal: u32) -> Answer<Profiles> {
    legacy::refuse_newer(audience)?;
    let mut asked = Vec::new();
    for question in &audience.questions {
        asked.extend(asked_of(question, goal));
    }
    let mut interlocked = Value::Null;
    if let Some(interlock) = &audience.interlock {
        let cells = legacy::feasibility_cells(interlock, goal)?;
        let quotas: Vec<Value> = cells
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                json!({
                    "id": format!("{index:026}"), "quota_percentage": cell.percent,
                    "condition": { "related_condition": cell.related },
                })
            })
            .collect();
        interlocked = json!([{ "quotas": { "ungrouped": quotas } }]);
        asked.extend(cells.into_iter().map(|cell| Asked {
            kind: TableKind::Interlock,
            conditions: cell.conditions,
            wanted: Some(of_goal(cell.percent * 100, goal)),
        }));
    }
    Ok(Profiles { regular: legacy::feasibility(audience, goal).into(), interlocked, asked })
}

/// The targets of a question that have a quota, in the order in which the answer has them: those of one condition
/// first.
fn asked_of(question: &Question, goal: u32) -> Vec<Asked> {
    let counts = question.counts(100, goal.into());
    let with_quota = question.targets().iter().zip(counts).filter_map(|(target, percent)| Some((target, percent?)));
    let mut asked: Vec<Asked> = with_quota
        .map(|(target, percent)| Asked {
            kind: TableKind::Regular,
            conditions: target.conditions().iter().map(|it| (question.id(), it.clone())).collect(),
            wanted: Some(of_goal(percent * 100, goal)),
        })
        .collect();
    asked.sort_by_key(|asked| asked.conditions.len() > 1);
    asked
}

/// A target group's own settings with others, as a request takes them, and the targets in it. The names that versions
/// give the goal and the ends of the field are the caller's.
pub(crate) fn of_group(settings: &FeasibilitySettings) -> Answer<Value> {
    Ok(json!({
        "length_of_interview": settings.length_of_interview.map(|it| it.as_minutes()),
        "incidence_rate": settings.incidence_rate.map(|rate| rate.fraction()),
        "price": settings.price.as_ref().map(|price| amount(price, AMOUNT)),
        "locale": settings.locale.as_ref().map(ToString::to_string),
        "collects_pii": settings.collects_pii,
        "rate_card_price_boost": settings.boost.as_ref().map(|boost| amount(boost, AMOUNT)),
        "step_days": settings.step_days,
    }))
}

/// The request about a target group: what is not said is left out.
pub(crate) fn request<T>(settings: &FeasibilitySettings, parts: [(&str, Value); 6]) -> Answer<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut body = of_group(settings)?;
    if let Some(fields) = body.as_object_mut() {
        fields.extend(parts.into_iter().map(|(name, value)| (name.to_owned(), value)));
        fields.retain(|_, value| !value.is_null());
    }
    super::from_json_parts("feasibility", ("rate_card_price_boost", "rate_card_boost"), body)
}

/// Reads an answer of any version.
pub(crate) fn read(answer: &Value, asked: &[Asked]) -> Feasibility {
    let goal = ["suggested_completes_goal_range", "suggested_filling_goal_range"].into_iter();
    let goal = goal.map(|name| &answer[name]).find(|range| range.is_object()).unwrap_or(&Value::Null);
    let prices = &answer["suggested_price_range"];
    let open = &answer["allocations"]["open_exchange_allocations"];
    let private = &answer["allocations"]["private_exchange_allocations"];
    let groups = |part: &Value, is_private: bool| -> Vec<SupplierGroupFeasibility> {
        let group = |group: &Value| SupplierGroupFeasibility {
            name: group["group_name"].as_str().unwrap_or_default().to_owned(),
            is_private,
            completes_min: group["min_completes"].as_i64(),
            completes_max: group["max_completes"].as_i64(),
        };
        items(part, "groups").map(group).collect()
    };
    Feasibility {
        completes_min: goal["min"].as_i64(),
        completes_max: goal["max"].as_i64(),
        suggested_price: price(&answer["suggested_price"]),
        price_min: price(&prices["min"]),
        price_max: price(&prices["max"]),
        targets: targets(answer, asked),
        exchange_completes_min: open["min_completes"].as_i64(),
        exchange_completes_max: open["max_completes"].as_i64(),
        supplier_groups: groups(open, false).into_iter().chain(groups(private, true)).collect(),
    }
}

fn price(price: &Value) -> Option<Money> {
    super::money(price["value"].as_str(), price["currency_code"].as_str())
}

fn targets(answer: &Value, asked: &[Asked]) -> Vec<TargetFeasibility> {
    let mut targets = Vec::new();
    for profile in items(answer, "profiles") {
        if profile.get("targets").is_some() {
            let kind = quotas::modern::kind(profile);
            for target in items(profile, "targets") {
                let conditions = quotas::modern::conditions(target);
                let wanted = asked.iter().find(|it| it.kind == kind && it.is_of(&conditions)).and_then(|it| it.wanted);
                targets.push(target_of(kind, conditions, wanted, &target["quota"]));
            }
            continue;
        }
        let question = quotas::whole(&profile["question_id"]);
        let of_question = |it: &&Asked| {
            it.kind == TableKind::Regular && it.conditions.first().map(|(question, _)| *question) == question
        };
        // The answer has them in the order of the request.
        let mut asked = asked.iter().filter(of_question);
        for quota in items(&profile["quotas"], "ungrouped").chain(items(&profile["quotas"], "grouped")) {
            let mut target = by_order(TableKind::Regular, asked.next(), quota);
            target.question = question;
            targets.push(target);
        }
    }
    let mut cells = asked.iter().filter(|it| it.kind == TableKind::Interlock);
    for profile in items(answer, "interlocked_profiles") {
        for quota in items(&profile["quotas"], "ungrouped") {
            let mut target = by_order(TableKind::Interlock, cells.next(), quota);
            target.cell = quota["id"].as_str().map(str::to_owned);
            targets.push(target);
        }
    }
    targets
}

fn by_order(kind: TableKind, asked: Option<&Asked>, quota: &Value) -> TargetFeasibility {
    let conditions = asked.map(|it| it.conditions.clone()).unwrap_or_default();
    target_of(kind, conditions, asked.and_then(|it| it.wanted), quota)
}

fn target_of(
    kind: TableKind,
    conditions: Vec<(i64, Condition)>,
    wanted: Option<u64>,
    quota: &Value,
) -> TargetFeasibility {
    let (min, max) = (&quota["min_completes"], &quota["max_completes"]);
    let completes = |of: &Value| of["projected_completes_goal"].as_i64().or_else(|| of["nominal"].as_i64());
    let percent = |of: &Value| {
        let percent = of["projected_completes_percentage"].as_f64().or_else(|| of["percentage"].as_f64());
        percent.and_then(Decimal::from_f64)
    };
    TargetFeasibility {
        kind,
        question: None,
        cell: None,
        conditions,
        wanted,
        completes_min: completes(min),
        completes_max: completes(max),
        percent_min: percent(min),
        percent_max: percent(max),
    }
}

/// An audience can only be asked about with a goal, which its quotas are shares of.
pub(crate) fn goal_of(settings: &FeasibilitySettings) -> Answer<u32> {
    let lacks = || super::audience::refused("completes_goal", "is missing: the quotas of an audience are shares of it");
    settings.completes_goal.ok_or_else(lacks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience() -> Audience {
        let age = Question::range(42).band(18..=34, 40).bands("older", [35..=54, 55..=99], 60);
        let gender = Question::choice(43).option("1", 49).option("2", 51);
        Audience::interlock([gender, Question::choice(113).option("1", 50).option("2", 50)]).and_question(age)
    }

    /// Before 2025-12-18 an answer names no conditions: they are those of the request, in its order.
    #[test]
    fn targets_by_order_get_the_conditions_that_were_asked_about() {
        let Profiles { interlocked, asked, .. } = profiles(&audience(), 1_000).unwrap();
        assert_eq!(items(&interlocked[0]["quotas"], "ungrouped").count(), 4);
        let range = |most: u64| {
            json!({
                "min_completes": { "nominal": 1, "percentage": 1 },
                "max_completes": { "nominal": most, "percentage": 90 },
            })
        };
        let answer = json!({
            "profiles": [{ "question_id": 42, "quotas": { "ungrouped": [range(400)], "grouped": [range(599)] } }],
            "interlocked_profiles": [{ "quotas": { "ungrouped": [range(900), range(900), range(900), range(9)] } }],
            "suggested_filling_goal_range": { "min": 700, "max": 900 },
        });
        let feasibility = read(&answer, &asked);
        assert_eq!((feasibility.completes_min, feasibility.completes_max), (Some(700), Some(900)));
        let short: Vec<_> = feasibility.unfillable().map(|it| (it.conditions.clone(), it.wanted)).collect();
        let older = [(35, 54), (55, 99)].map(|(min, max)| (42, Condition::Range { min, max }));
        assert_eq!(short[0], (older.to_vec(), Some(600)));
        let last = [(43, "2"), (113, "2")].map(|(question, option)| (question, Condition::Option(option.into())));
        assert_eq!((short[1].0.as_slice(), short.len()), (&last[..], 2));
    }

    #[test]
    fn an_answer_with_conditions_is_held_against_what_was_wanted() {
        let (profiling, asked) = profiling(&audience(), 1_000).unwrap();
        let mut answer = json!({ "profiles": profiling["profiles"] });
        for profile in answer["profiles"].as_array_mut().unwrap() {
            for target in profile["targets"].as_array_mut().unwrap() {
                let wanted = target["quota"]["completes_goal"].as_u64().unwrap();
                target["quota"] = json!({ "max_completes": { "projected_completes_goal": wanted } });
            }
        }
        let feasibility = read(&answer, &asked);
        assert_eq!(feasibility.targets.len(), 6);
        assert!(feasibility.targets.iter().all(|it| it.wanted.is_some()) && feasibility.unfillable().next().is_none());
    }

    /// A draft has no supply of its own; a target group that exists has, so the whole exchange is said, too.
    #[test]
    fn the_whole_exchange_goes_without_saying_for_drafts_alone() {
        let open = Supply::open_exchange();
        assert!(unless_unrestricted(&open, allocation_list).unwrap().is_null());
        assert!(unless_unrestricted(&open, allocation_specification).unwrap().is_null());
        assert_eq!(allocation_list(&open).unwrap(), json!([]));
        let said = allocation_specification(&open).unwrap();
        assert_eq!(said["open_exchange_allocations"]["exchange_max_percentage"], 100);
        let supply = Supply::open_exchange().group("none", 0..=0, [12]).group("some", 5..=60, [34]).block([56]);
        let some = json!({ "object": "group", "supplier_ids": [34], "percentage_min": 5, "percentage_max": 60 });
        let list = json!([some, { "object": "blocked", "supplier_ids": [56, 12] }]);
        assert_eq!(allocation_list(&supply).unwrap(), list);
        assert_eq!(unless_unrestricted(&supply, allocation_list).unwrap(), list);
    }

    #[test]
    fn the_share_of_the_exchange_is_what_groups_leave_or_refused() {
        let shares = |supply: &Supply| {
            let list = allocation_list(supply).map_err(|error| error.invalid_fields()[0].to_string())?;
            let of =
                |group: &Value| (group["percentage_min"].as_u64().unwrap(), group["percentage_max"].as_u64().unwrap());
            Ok::<_, String>(list.as_array().unwrap().iter().map(of).collect::<Vec<_>>())
        };
        let open = Supply::open_exchange;
        assert_eq!(shares(&Supply::only("x", [12, 34])), Ok(vec![(100, 100)]));
        assert_eq!(shares(&open().group("x", 0..=100, [12, 34])), Ok(vec![(0, 100)]));
        assert_eq!(shares(&open().exchange(20..=80).group("x", 10..=95, [12])), Ok(vec![(20, 80)]));
        let exact = open().exchange(10..=40).group("x", 20..=30, [12]).group("y", 40..=60, [34]);
        assert_eq!(shares(&exact), Ok(vec![(20, 30), (40, 60)]));
        for (supply, says) in [
            (open().exchange(0..=39).group("x", 20..=30, [12]).group("y", 40..=60, [34]), "expected the 10 to 40"),
            (open().exchange(11..=40).group("x", 20..=30, [12]).group("y", 40..=60, [34]), "expected the 10 to 40"),
            (open().exchange(0..=20).group("x", 0..=60, [12]), "never 100"),
            (open().exchange(0..=50), "expected the 100 to 100"),
        ] {
            let refused = shares(&supply).unwrap_err();
            assert!(refused.contains("supply") && refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn a_template_is_refused_by_name() {
        let refused = profiling(&Audience::template("01JABC"), 1_000).unwrap_err();
        assert!(refused.invalid_fields()[0].to_string().contains("template"), "{refused}");
    }
}
