//! Reconciliation: lists in, counts out.
//! Two kinds: RIDs with reasons, and the list of completes to keep.

use super::{Outcome, Route, projects};
use crate::api::answer::{Answer, attachment};
use crate::api::call::Call;
use crate::api::dialect::money;
use crate::api::rejection::Rejection;
use crate::sim::clock::{central_day, text};
use crate::state::ledger::Completes;
use crate::state::reconciliation::{self, Counts, REASONS, Reconciliation, Submission};
use crate::state::report::csv_line;
use crate::state::target_group::TargetGroup;
use crate::state::{World, page};
use jiff::{Timestamp, ToSpan, civil};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::ops::Range;

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("post_reconciliations", submit),
    ("post_reconciliations_completes", submit_completes),
    ("get_reconciliations_by_account_id", |world, call| list(world, call)),
    ("get_reconciliation_by_request_id", |world, call| get(world, call)),
    ("get_target_groups_by_request_id", |world, call| target_groups(world, call)),
    ("get_target_group_by_request_id_and_target_group_id", |world, call| target_group(world, call)),
    ("request_reconciliation_reason_codes", |_, _| reason_codes()),
    ("get_eligible_target_groups", |world, call| eligible(world, call)),
    ("get_recon_downloads", |world, call| download(world, call)),
];

fn name(call: &Call<'_>) -> Result<String, Rejection> {
    match call.query("name") {
        Some(name) if !name.is_empty() && name.chars().count() <= 255 => Ok(name.to_owned()),
        Some(name) => {
            Err(Rejection::refused("name", format!("{} characters", name.chars().count()), "1 to 255 characters"))
        }
        None => Err(Rejection::invalid("name", "a value is required")),
    }
}

fn rows(call: &Call<'_>, columns: usize) -> Result<Vec<Vec<String>>, Rejection> {
    let list = std::str::from_utf8(call.raw).map_err(|_| Rejection::invalid("body", "not UTF-8"))?;
    reconciliation::read(list, columns, call.version.max_reconciliation_rows())
}

fn submitted(call: &Call<'_>, name: &str, id: &str) -> Answer {
    let body = json!({ "name": name, "request_name": name, "request_id": id });
    Answer::json(call.operation.success(), body)
}

fn submit(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = name(call)?;
    let reasons = rows(call, 2)?
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    let id = reconciliation::submit(world, name.clone(), Submission::Reasons(reasons));
    Ok(submitted(call, &name, &id))
}

fn submit_completes(world: &mut World, call: &Call<'_>) -> Outcome {
    let project = projects::find(world, call)?.id.clone();
    let name = name(call)?;
    let rids = rows(call, 1)?.into_iter().flatten().collect();
    let id = reconciliation::submit(world, name.clone(), Submission::Keep { project, rids });
    Ok(submitted(call, &name, &id))
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Reconciliation, Rejection> {
    world.reconciliations.get(call.at("request_id")).ok_or_else(|| Rejection::not_found("reconciliation"))
}

fn counts_facts(counts: &Counts) -> Value {
    json!({
        "submitted_count": counts.submitted,
        "expired_count": counts.expired,
        "invalid_count": counts.invalid,
        "positive_reversed_count": counts.positive,
        "negative_reversed_count": counts.negative,
        "result_counts": {
            "submitted": counts.submitted,
            "expired": counts.expired,
            "invalid": counts.invalid,
            "total_reversed": counts.positive + counts.negative,
            "positive_reversed": counts.positive,
            "negative_reversed": counts.negative,
        },
    })
}

fn facts(one: &Reconciliation) -> Value {
    let mut facts = counts_facts(&one.counts);
    if let Some(map) = facts.as_object_mut() {
        for (name, value) in [
            ("id", json!(one.id)),
            ("request_id", json!(one.id)),
            ("name", json!(one.name)),
            ("status", json!(one.status())),
            ("submitted_at", json!(text(one.submitted_at))),
            ("submitted_by_user_id", json!(one.submitted_by)),
            ("submission_type", json!(one.submission_type())),
        ] {
            map.insert(name.into(), value);
        }
    }
    facts
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(find(world, call)?)))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let mut window = call.window(10, 100)?;
    // This list has a second name for the cursor.
    if window.start_after.is_none() {
        window.start_after = call.query("next_cursor").map(str::to_owned);
    }
    let all: Vec<&Reconciliation> = world
        .reconciliations
        .values()
        .rev()
        .filter(|one| call.query("name").is_none_or(|name| one.name.contains(name)))
        .filter(|one| call.query("status").is_none_or(|status| one.status().eq_ignore_ascii_case(status)))
        .filter(|one| call.query("submitted_by_user_id").is_none_or(|id| one.submitted_by.eq_ignore_ascii_case(id)))
        .collect();
    let page = page::cut(all, &window, |one| one.id.clone())?;
    let body = json!({
        "reconciliation_requests": page.items.iter().map(|one| facts(one)).collect::<Vec<_>>(),
        "next_cursor": page.next,
        "page_size": window.size,
    });
    Ok(Answer::json(200, body))
}

fn group_facts(id: &str, counts: &Counts, status: &str) -> Value {
    let mut facts = counts_facts(counts);
    if let Some(map) = facts.as_object_mut() {
        map.insert("target_group_id".into(), json!(id));
        map.insert("status".into(), json!(status));
    }
    facts
}

fn target_groups(world: &World, call: &Call<'_>) -> Outcome {
    let one = find(world, call)?;
    let window = call.window(10, 100)?;
    let groups: Vec<_> = one.by_group.iter().collect();
    let page = page::cut(groups, &window, |(id, _)| (*id).clone())?;
    let body = json!({
        "target_groups":
            page.items.iter().map(|(id, counts)| group_facts(id, counts, one.status())).collect::<Vec<_>>(),
        "next_cursor": page.next,
        "page_size": window.size,
    });
    Ok(Answer::json(200, body))
}

fn target_group(world: &World, call: &Call<'_>) -> Outcome {
    let one = find(world, call)?;
    let id = call.at("target_group_id");
    let counts = one.by_group.get(id).ok_or_else(|| Rejection::not_found("target group"))?;
    Ok(Answer::json(200, group_facts(id, counts, one.status())))
}

fn reason_codes() -> Outcome {
    let reasons: Vec<Value> = REASONS
        .iter()
        .map(|(code, name, allowed)| json!({ "code": code, "name": name, "description": name, "allowed": allowed }))
        .collect();
    Ok(Answer::json(200, json!({ "reconciliation_reasons": reasons })))
}

/// When the completes of a list came. The newest version says the month in
/// which they are due, the oldest the one in which they came.
fn asked_time(world: &World, call: &Call<'_>) -> Result<Range<Timestamp>, Rejection> {
    let due = if call.version.is_legacy() {
        let month = call.query("session_month").unwrap_or_default();
        let day = format!("{month}-01").parse::<civil::Date>().ok().filter(|_| month.len() == 7);
        let came = day.ok_or_else(|| Rejection::refused("session_month", month, "a month like 2025-01"))?;
        came.saturating_add(1.month())
    } else {
        let months = if call.query("due_month") == Some("next_month") { 1 } else { 0 };
        central_day(world.now()).first_of_month().saturating_add(months.months())
    };
    Ok(reconciliation::due_in(due, world.now()))
}

fn eligible_group(world: &World, group: &TargetGroup, completes: Completes) -> Value {
    let manager = world.account.user(&group.manager);
    json!({
        "name": group.name,
        "target_group_id": group.id,
        "project_id": group.project_id,
        "project_manager": {
            "id": group.manager,
            "name": manager.map(|user| user.name.as_str()),
            "email": manager.map(|user| user.email.as_str()),
        },
        "status": group.status(),
        "project_name": world.projects.get(&group.project_id).map_or("", |project| project.name.as_str()),
        // Counts are texts here.
        "eligible_completes": completes.count.to_string(),
        "monetary_amount": money(completes.cost, super::target_groups::currency(world, group)),
    })
}

fn eligible(world: &World, call: &Call<'_>) -> Outcome {
    let window = call.window(10, 100)?;
    let time = asked_time(world, call)?;
    let contains =
        |text: &str, part: Option<&str>| part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()));
    let project_name = |id: &str| world.projects.get(id).map_or("", |project| project.name.as_str());
    let groups: Vec<(&TargetGroup, Completes)> = world
        .groups
        .values()
        .map(|group| (group, group.ledger.completes_within(time.clone())))
        .filter(|(_, completes)| completes.count > 0)
        .filter(|(group, _)| contains(&group.name, call.query("name")))
        .filter(|(group, _)| contains(project_name(&group.project_id), call.query("project_name")))
        .filter(|(group, _)| call.query("status").is_none_or(|status| group.status().eq_ignore_ascii_case(status)))
        .filter(|(group, _)| call.query("project_manager_id").is_none_or(|id| group.manager.eq_ignore_ascii_case(id)))
        .collect();
    let currency = world.account.business_units.first().map_or("USD", |unit| unit.currency.as_str());
    let completes: u64 = groups.iter().map(|(_, completes)| completes.count).sum();
    // Amounts of other currencies have no place in one sum.
    let own = groups.iter().filter(|(group, _)| super::target_groups::currency(world, group) == currency);
    let cost: Decimal = own.map(|(_, completes)| completes.cost).sum();
    let count = groups.len();
    let page = page::cut(groups, &window, |(group, _)| group.id.clone())?;
    let items: Vec<Value> =
        page.items.iter().map(|(group, completes)| eligible_group(world, group, *completes)).collect();
    let mut body = json!({
        "target_groups": items,
        "url": format!("/v1{}", call.requested),
        "summary": {
            "monetary_amount": money(cost, currency),
            "completes": completes.to_string(),
            "target_group_count": count.to_string(),
        },
        "has_more": page.next.is_some(),
        "page_size": window.size,
    });
    if let (Some(next), Some(map)) = (page.next, body.as_object_mut()) {
        map.insert("next_cursor".into(), json!(next));
    }
    Ok(Answer::json(200, body))
}

fn download(world: &World, call: &Call<'_>) -> Outcome {
    let one = find(world, call)?;
    let kind = call.at("download_type");
    if kind != "submitted-rids" && !one.complete {
        return Err(Rejection::not_found("download yet"));
    }
    let lines: Vec<&str> = match kind {
        "submitted-rids" => one.submitted(),
        "expired-rids" => one.expired.iter().map(String::as_str).collect(),
        "invalid-rids" => one.invalid.iter().map(String::as_str).collect(),
        _ => match &one.submission {
            Submission::Keep { project, .. } => world.completes_of(project).map(|s| s.rid.as_str()).collect(),
            Submission::Reasons(_) => return Err(Rejection::not_found("download")),
        },
    };
    let csv = lines.into_iter().map(|line| csv_line([line.to_owned()])).collect();
    Ok(Answer::csv(200, csv).with("content-disposition", attachment(&format!("{kind}-{}.csv", one.id))))
}
