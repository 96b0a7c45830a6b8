//! Target groups: drafts and what becomes of them.
//! Drafts and launched groups are read in different places; a draft's place
//! redirects once the group is launched.

use super::{Outcome, Route, assistant, exclusions, profile_templates, projects, supply};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{
    currency_place, first, legacy, modern, money, money_facts, read_money, supply as supply_dialect, whole,
};
use crate::api::rejection::Rejection;
use crate::sim::clock::{read, text};
use crate::state::audience::Audience;
use crate::state::ledger::{median_length, rate};
use crate::state::target_group::{Money, TargetGroup};
use crate::state::{BusinessUnit, World, history, locale, page};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("create_target_group", create),
    ("get_target_group", |world, call| draft(world, call)),
    ("update_target_group", update_draft),
    ("get_target_group_details", |world, call| details(world, call)),
    ("update_launched_target_group_details", update_details),
    ("get_target_group_overview", |world, call| overview(world, call)),
    ("get_target_group_overview_by_target_group_id", |world, call| overview_alone(world, call)),
    ("get_list_target_groups", |world, call| list(world, call)),
    ("update_cost_per_interview", update_price),
    ("update_filling_strategy", update_strategy),
];

/// Parts of a draft that are kept as they were sent.
const KEPT_FIELDS: &[&str] = &["exclusion", "respondent_activity_exclusions", "re_entry_configuration"];

/// The target group of the path, under the project of the path.
pub(super) fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w TargetGroup, Rejection> {
    projects::find(world, call)?;
    world
        .groups
        .get(call.at("target_group_id"))
        .filter(|group| group.project_id == call.at("project_id"))
        .ok_or_else(|| Rejection::not_found("target group"))
}

/// The same, if it has been launched.
pub(super) fn launched<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w TargetGroup, Rejection> {
    let group = find(world, call)?;
    if group.is_draft() { Err(Rejection::not_found("launched target group")) } else { Ok(group) }
}

pub(super) fn group_mut<'w>(world: &'w mut World, id: &str) -> Result<&'w mut TargetGroup, Rejection> {
    world.groups.get_mut(id).ok_or_else(|| Rejection::not_found("target group"))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let project_id = projects::find(world, call)?.id.clone();
    let id = world.ulid();
    let human_id = world.rng.code(7);
    let now = world.now();
    let group = build(world, call, id.clone(), human_id, project_id, now, None)?;
    if !world.add_group(group) {
        return Err(no_room());
    }
    Ok(Answer::json(201, json!({ "id": id })))
}

/// The refusal of what is too much for the sandbox.
pub(super) fn no_room() -> Rejection {
    Rejection::bad_request(
        "The sandbox has no room for more: all of its target groups are in field. Complete some of them, or reset it.",
    )
}

fn update_draft(world: &mut World, call: &Call<'_>) -> Outcome {
    let old = find(world, call)?.clone();
    if !old.is_draft() {
        return Err(Rejection::bad_request("A launched target group cannot be updated as a draft."));
    }
    let before = history::snapshot(world, &old);
    let mut group =
        build(world, call, old.id.clone(), old.human_id.clone(), old.project_id.clone(), old.created_at, Some(&old))?;
    group.project_exclusion = old.project_exclusion;
    group.project_exclusion_at = old.project_exclusion_at;
    group.assistant_version = old.assistant_version + u64::from(group.assistant != old.assistant);
    let weight = group.weight();
    if !world.has_room_for_groups(0, weight.saturating_sub(old.weight()), &old.id) {
        return Err(no_room());
    }
    world.groups.put(old.id.clone(), group, weight);
    let now = world.now();
    history::record(world, now, &old.id, &before);
    Ok(Answer::empty(204))
}

/// Makes a draft of a body, which is a full one for updates as well.
fn build(
    world: &mut World,
    call: &Call<'_>,
    id: String,
    human_id: String,
    project_id: String,
    created_at: Timestamp,
    before: Option<&TargetGroup>,
) -> Result<TargetGroup, Rejection> {
    let body = &call.body;
    let now = world.now();
    let string = |name: &str| call.text(name).map(str::to_owned);
    let unit = business_unit(world, body)?;
    let manager = manager(world, body)?;
    let locale = string("locale").unwrap_or_default();
    if locale::split(&locale).is_none() {
        return Err(Rejection::no_locale(&locale));
    }
    let (start_at, end_at) = fielding_times(body, now)?;
    let goal = first(body, &["completes_goal", "filling_goal"]).and_then(whole).map_or(0, |n| n.max(0) as u64);
    let (price, price_note) = prices(body, &unit)?;
    check_links(call)?;
    let supply = supply::of_draft(call, before.map(|old| &old.supply))?;
    let modules = assistant::modules(body.get("fielding_assistant_assignment").unwrap_or(&Value::Null));
    assistant::check(world, call.version, &modules, price.is_some(), &id)?;
    let audience = read_audience(world, call, goal)?;
    let kept = kept(world, body, &id, &project_id)?;
    Ok(TargetGroup {
        name: call.text("name").unwrap_or_default().trim().to_owned(),
        business_unit: unit.id,
        locale,
        collects_pii: body.get("collects_pii").and_then(Value::as_bool).unwrap_or(false),
        study_type: string("study_type_code").unwrap_or_else(|| "adhoc".into()),
        industry: string("industry_code").unwrap_or_else(|| "other".into()),
        industry_lockout: string("industry_lockout_code").unwrap_or_else(|| "no_lockout".into()),
        manager,
        client_id: call.number("client_id"),
        goal,
        interview_minutes: call.number("expected_length_of_interview_minutes").map_or(0, |n| n.max(0) as u64),
        incidence: body.get("expected_incidence_rate").and_then(Value::as_f64).unwrap_or(1.0),
        price,
        price_note,
        live_url: string("live_url"),
        test_url: string("test_url"),
        reference: string("target_group_customer_reference_number"),
        filling_strategy: string("filling_strategy").unwrap_or_else(|| "prescreens".into()),
        audience,
        kept,
        supply,
        assistant: modules,
        changed_at: now,
        ..TargetGroup::new(id, human_id, project_id, created_at, (start_at, end_at))
    })
}

fn business_unit(world: &World, body: &Value) -> Result<BusinessUnit, Rejection> {
    let given = first(body, &["business_unit_id"]);
    let unit = given
        .and_then(|value| whole(value).or_else(|| value.as_str()?.parse().ok()))
        .and_then(|id| world.account.business_unit(id))
        .cloned();
    unit.ok_or_else(|| Rejection::invalid("business_unit_id", world.account.not_a_unit(given)))
}

fn manager(world: &World, body: &Value) -> Result<String, Rejection> {
    match first(body, &["project_manager_id"]).and_then(Value::as_str) {
        Some(id) => world
            .account
            .user(id)
            .map(|user| user.id.clone())
            .ok_or_else(|| Rejection::invalid("project_manager_id", world.account.not_a_user(id))),
        None => Ok(world.account.caller().to_owned()),
    }
}

/// The price, in the unit's currency, and the client's note of one.
fn prices(body: &Value, unit: &BusinessUnit) -> Result<(Option<Money>, Option<Money>), Rejection> {
    let price = read_money(body, "cost_per_interview")?;
    // In which currencies notes are taken is looked at with the other amounts.
    let note = read_money(body, "client_cost_per_interview_note")?;
    if let Some(price) = price.as_ref().filter(|price| price.currency != unit.currency) {
        return Err(Rejection::refused(currency_place(body, "cost_per_interview"), &price.currency, &unit.currency));
    }
    match &price {
        Some(price) if !unit.prices_by("dynamic") => {
            let allowed = "nothing: the business unit has rate cards only";
            Err(Rejection::refused("cost_per_interview", &price.value, allowed))
        }
        None if !unit.prices_by("rate_card") => {
            let allowed = "an amount and its currency: the business unit has no rate card";
            Err(Rejection::refused("cost_per_interview", "nothing", allowed))
        }
        _ => Ok((price, note)),
    }
}

fn check_links(call: &Call<'_>) -> Result<(), Rejection> {
    for name in ["live_url", "test_url"] {
        if let Some(url) = call.text(name)
            && !url.starts_with("https://")
        {
            return Err(Rejection::refused(name, url, "an address that begins with https://"));
        }
    }
    Ok(())
}

/// The parts of a draft that are kept as they were sent.
fn kept(world: &World, body: &Value, id: &str, project_id: &str) -> Result<Map<String, Value>, Rejection> {
    let activity = exclusions::read_activity(world, body, id, project_id)?;
    let mut kept: Map<String, Value> = KEPT_FIELDS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), body.get(*name).filter(|v| !v.is_null())?.clone())))
        .collect();
    if !activity.is_empty() {
        kept.insert("respondent_activity_exclusions".into(), Value::Array(activity));
    }
    Ok(kept)
}

fn fielding_times(body: &Value, now: Timestamp) -> Result<(Timestamp, Timestamp), Rejection> {
    let moment = |name: &str| {
        let given = body.get("fielding_specification").and_then(|spec| spec.get(name)).and_then(Value::as_str);
        given.and_then(read).ok_or_else(|| Rejection::no_moment(format!("fielding_specification.{name}"), given))
    };
    let (start_at, end_at) = (moment("start_at")?, moment("end_at")?);
    let earliest = start_at.max(now);
    if end_at <= earliest {
        return Err(Rejection::too_early("fielding_specification.end_at", end_at, earliest));
    }
    Ok((start_at, end_at))
}

fn read_audience(world: &mut World, call: &Call<'_>, goal: u64) -> Result<Audience, Rejection> {
    let name = if call.version.is_legacy() { "profile" } else { "profiling" };
    match call.body.get(name).filter(|value| value.is_object()) {
        Some(given) if call.version.is_legacy() => legacy::read(world, given, goal),
        Some(given) => {
            let mut audience = modern::read(world, given, goal);
            profile_templates::fill(world, &mut audience, call.text("locale").unwrap_or_default(), goal)?;
            Ok(audience)
        }
        None => Ok(Audience::default()),
    }
}

fn draft(world: &World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    if !group.is_draft() {
        let place = format!(
            "/v1/demand/accounts/{}/projects/{}/target-groups/{}/details",
            world.account.id, group.project_id, group.id
        );
        return Ok(Answer::empty(301).with("location", place));
    }
    Ok(Answer::json(200, facts(world, group)))
}

fn details(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(world, launched(world, call)?)))
}

fn overview(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(world, launched(world, call)?)))
}

fn overview_alone(world: &World, call: &Call<'_>) -> Outcome {
    let group = world
        .groups
        .get(call.at("target_group_id"))
        .filter(|group| !group.is_draft())
        .ok_or_else(|| Rejection::not_found("launched target group"))?;
    Ok(Answer::json(200, facts(world, group)))
}

fn update_details(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = launched(world, call)?.id.clone();
    let given = call.text("project_manager_id").unwrap_or_default();
    let manager = world
        .account
        .user(given)
        .map(|user| user.id.clone())
        .ok_or_else(|| Rejection::invalid("project_manager_id", world.account.not_a_user(given)))?;
    check_links(call)?;
    let note = match read_money(&call.body, "client_cost_per_interview_note")? {
        Some(note) => Some(note),
        None => read_money(&call.body, "client_cpi")?,
    };
    let now = world.now();
    let before = history::snapshot(world, find(world, call)?);
    let group = group_mut(world, &id)?;
    group.name = call.text("name").unwrap_or_default().trim().to_owned();
    group.manager = manager;
    group.interview_minutes = call.number("expected_length_of_interview_minutes").map_or(0, |n| n.max(0) as u64);
    group.incidence = call.body.get("expected_incidence_rate").and_then(Value::as_f64).unwrap_or(1.0);
    group.live_url = call.text("live_url").map(str::to_owned);
    group.test_url = call.text("test_url").map(str::to_owned);
    if let Some(code) = call.text("industry_lockout_code") {
        group.industry_lockout = code.to_owned();
    }
    group.price_note = note;
    group.reference = call.text("target_group_customer_reference_number").map(str::to_owned);
    group.changed_at = now;
    history::record(world, now, &id, &before);
    let group = find(world, call)?;
    Ok(Answer::json(200, facts(world, group)))
}

fn update_price(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = launched(world, call)?;
    let id = group.id.clone();
    let currency = currency(world, group);
    let Some(price) = read_money(&call.body, "target_group_cpi")? else {
        return Err(Rejection::refused("target_group_cpi", "nothing", "an amount and its currency"));
    };
    if price.currency != currency {
        return Err(Rejection::refused(currency_place(&call.body, "target_group_cpi"), price.currency, currency));
    }
    if group.price.is_none() {
        return Err(Rejection::bad_request("The price of a rate card group cannot be set."));
    }
    let now = world.now();
    let before = history::snapshot(world, group);
    let body = json!({ "target_group_cpi": money_facts(&price) });
    let group = group_mut(world, &id)?;
    group.price = Some(price);
    group.changed_at = now;
    history::record(world, now, &id, &before);
    Ok(Answer::json(200, body))
}

fn update_strategy(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = launched(world, call)?;
    let id = group.id.clone();
    if group.status() == "paused" {
        return Err(Rejection::new(
            405,
            "method_not_allowed_error",
            "The filling strategy of a paused target group cannot be changed.",
        ));
    }
    let strategy = call.text("filling_strategy").unwrap_or_default().to_owned();
    let (now, before) = (world.now(), history::snapshot(world, find(world, call)?));
    let group = group_mut(world, &id)?;
    group.filling_strategy = strategy.clone();
    group.changed_at = now;
    history::record(world, now, &id, &before);
    Ok(Answer::json(200, json!({ "filling_strategy": strategy })))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let project = projects::find(world, call)?;
    let window = call.window(10, 100)?;
    let among = |name: &str, own: &str| {
        let mut wanted = call.query_all(name).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted == own)
    };
    let contains =
        |text: &str, part: Option<&str>| part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()));
    let mut groups: Vec<&TargetGroup> = world
        .groups_of(&project.id)
        .filter(|group| among("status", group.status()))
        .filter(|group| {
            call.query("exclusion_status").is_none_or(|wanted| wanted == group.project_exclusion.to_string())
        })
        .filter(|group| among("human_readable_ids", &group.human_id))
        .filter(|group| among("target_group_customer_reference_numbers", group.reference.as_deref().unwrap_or("")))
        .filter(|group| among("country", locale::split(&group.locale).map_or("", |(_, country)| country)))
        .filter(|group| among("language", locale::split(&group.locale).map_or("", |(language, _)| language)))
        .filter(|group| among("project_manager_id", &group.manager))
        .filter(|group| contains(&group.name, call.query("name")))
        .filter(|group| {
            contains(&group.name, call.query("search_string")) || contains(&group.human_id, call.query("search_string"))
        })
        .collect();
    groups.reverse();
    let page = page::cut(groups, &window, |group| group.id.clone())?;
    let body = json!({
        "url": format!("/v1{}", call.requested),
        "has_more": page.next.is_some(),
        "next_cursor": page.next,
        "target_groups": page.items.iter().map(|group| facts(world, group)).collect::<Vec<_>>(),
    });
    Ok(Answer::json(200, body))
}

pub(super) fn currency<'w>(world: &'w World, group: &TargetGroup) -> &'w str {
    world.account.currency_of(group.business_unit)
}

/// Everything that any answer about a target group may want to say.
pub(super) fn facts(world: &World, group: &TargetGroup) -> Value {
    let mut facts = setting_facts(world, group);
    if let (Some(all), Value::Object(field)) = (facts.as_object_mut(), field_facts(world, group)) {
        all.extend(field);
        all.extend(part_facts(world, group));
        all.extend(group.kept.clone());
    }
    facts
}

/// What was asked for.
fn setting_facts(world: &World, group: &TargetGroup) -> Value {
    let (language, country) = locale::split(&group.locale).unwrap_or(("eng", "us"));
    let link = |kind: &str| format!("https://sandbox.example.com/{kind}/{}", group.id);
    let project = world.projects.get(&group.project_id);
    json!({
        "id": group.id,
        "human_readable_id": group.human_id,
        "name": group.name,
        "target_group_name": group.name,
        "project_name": project.map_or("", |project| project.name.as_str()),
        "project_id": group.project_id,
        "account_id": world.account.id,
        "account_name": world.account.name,
        "business_unit_id": group.business_unit.to_string(),
        "locale": group.locale,
        "country_code": country.to_uppercase(),
        "language_code": language.to_uppercase(),
        "collects_pii": group.collects_pii,
        "study_type_code": group.study_type,
        "industry_code": group.industry,
        "industry_lockout_code": group.industry_lockout,
        "project_manager_id": group.manager,
        "client_id": group.client_id,
        "fielding_specification": { "start_at": text(group.start()), "end_at": text(group.end()) },
        "completes_goal": group.goal,
        "filling_goal": group.goal,
        "expected_length_of_interview_minutes": group.interview_minutes,
        "expected_incidence_rate": group.incidence,
        "pricing_model": group.pricing_model(),
        "is_pricing_restricted": false,
        "target_group_customer_reference_number": group.reference,
        "status": group.status(),
        "created_at": text(group.created_at),
        "updated_at": text(group.changed_at),
        "exclusion_enabled": group.project_exclusion,
        "links": { "test_screener": link("screener"), "test_client_survey": link("survey") },
    })
}

/// What the field has brought, in numbers and money.
fn field_facts(world: &World, group: &TargetGroup) -> Value {
    let currency = currency(world, group);
    let (ledger, total) = (&group.ledger, &group.ledger.total);
    let conversion = rate(total.completes, ledger.entrants());
    let seconds = json!(median_length([ledger]));
    let price = group.price(&world.account);
    let average = if total.completes > 0 { total.cost / Decimal::from(total.completes) } else { price };
    let progress = json!({
        "current_completes": total.completes,
        "current_prescreens": total.entered(),
        "filling_goal": group.goal.max(1),
        "filling_strategy": group.filling_strategy,
    });
    let issue_free = |value: Value| json!({ "value": value, "issues": [] });
    let mut statistics = json!({ "progress": issue_free(progress.clone()) });
    if let (true, Some(map)) = (ledger.entrants() > 0, statistics.as_object_mut()) {
        let click = total.cost / Decimal::from(ledger.entrants());
        map.insert("earnings_per_click".into(), issue_free(money(click, currency)));
        map.insert("average_cost_per_interview".into(), issue_free(money(average, currency)));
        map.insert("median_length_of_interview_seconds".into(), issue_free(seconds.clone()));
        map.insert("incidence_rate".into(), issue_free(json!(total.incidence())));
        map.insert("drop_off_rate".into(), issue_free(json!(total.drop_off())));
        map.insert("conversion_rate".into(), issue_free(json!(conversion)));
        if let Some(last) = ledger.last_complete_at() {
            map.insert("last_complete_date".into(), issue_free(json!(text(last))));
        }
    }
    json!({
        "progress": progress,
        "statistics": statistics,
        "current_cost_per_interview": money(price, currency),
        "average_cost_per_interview": money(average, currency),
        "current_cost": money(total.cost, currency),
        "conversion_rate": conversion,
        "drop_off_rate": total.drop_off(),
        "incidence_rate": total.incidence(),
        "median_length_of_interview_seconds": seconds,
    })
}

/// The larger parts, in the form of every version, and those that may be absent.
fn part_facts(world: &World, group: &TargetGroup) -> impl Iterator<Item = (String, Value)> + use<> {
    let (supply, fill) = (&group.supply, supply_dialect::Fill::of(&world.market, group));
    let parts = [
        ("profile", Some(legacy::draft_facts(&group.audience))),
        ("profiling", Some(modern::draft_facts(&group.audience))),
        ("fielding_assistant_assignment", Some(group.assistant.clone())),
        ("allocations", Some(supply_dialect::modern_facts(supply, group.goal, fill))),
        ("supply_allocations", Some(supply_dialect::legacy_facts(supply, group.goal, fill))),
        ("live_url", group.live_url.clone().map(Value::String)),
        ("test_url", group.test_url.clone().map(Value::String)),
        ("cost_per_interview", group.price.as_ref().map(money_facts)),
        ("client_cost_per_interview_note", group.price_note.as_ref().map(money_facts)),
        ("client_cpi", group.price_note.as_ref().map(money_facts)),
    ];
    parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}
