//! Target groups: drafts and what becomes of them.
//! Drafts and launched groups are read in different places; a draft's place
//! redirects once the group is launched.

use super::{Outcome, assistant, exclusions, profile_templates, projects, supply};
use crate::answer::Answer;
use crate::call::Call;
use crate::clock::{read, text};
use crate::dialect::{first, legacy, modern, money, money_facts, read_money, supply as supply_dialect, whole};
use crate::refusal::Refusal;
use crate::state::audience::Audience;
use crate::state::target_group::{Money, TargetGroup};
use crate::state::{World, history, locale, page};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Parts of a draft that are kept as they were sent.
const KEPT: &[&str] = &["exclusion", "respondent_activity_exclusions", "re_entry_configuration"];

/// The target group of the path, under the project of the path.
pub(super) fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w TargetGroup, Refusal> {
    projects::find(world, call)?;
    world
        .groups
        .get(call.at("target_group_id"))
        .filter(|group| group.project_id == call.at("project_id"))
        .ok_or_else(|| Refusal::not_found("target group"))
}

/// The same, if it has been launched.
pub(super) fn launched<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w TargetGroup, Refusal> {
    let group = find(world, call)?;
    if group.is_draft() { Err(Refusal::not_found("launched target group")) } else { Ok(group) }
}

pub(super) fn group_mut<'w>(world: &'w mut World, id: &str) -> Result<&'w mut TargetGroup, Refusal> {
    world.groups.get_mut(id).ok_or_else(|| Refusal::not_found("target group"))
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let project_id = projects::find(world, call)?.id.clone();
    let id = world.ulid();
    let human_id = world.rng.code(7);
    let now = world.now();
    let group = build(world, call, id.clone(), human_id, project_id, now, None)?;
    world.add_group(group);
    Ok(Answer::json(201, json!({ "id": id })))
}

pub(super) fn update_draft(world: &mut World, call: &Call<'_>) -> Outcome {
    let old = find(world, call)?.clone();
    if !old.is_draft() {
        return Err(Refusal::bad_request("A launched target group cannot be updated as a draft."));
    }
    let before = history::snapshot(world, &old);
    let mut group =
        build(world, call, old.id.clone(), old.human_id.clone(), old.project_id.clone(), old.created_at, Some(&old))?;
    group.project_exclusion = old.project_exclusion;
    group.project_exclusion_at = old.project_exclusion_at;
    group.assistant_version = old.assistant_version + u64::from(group.assistant != old.assistant);
    let weight = group.weight();
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
) -> Result<TargetGroup, Refusal> {
    let body = &call.body;
    let now = world.now();
    let given = |names: &[&str]| first(body, names);
    let string = |name: &str| call.text(name).map(str::to_owned);

    let unit = given(&["business_unit_id"])
        .and_then(|value| whole(value).or_else(|| value.as_str()?.parse().ok()))
        .and_then(|id| world.account.business_unit(id))
        .ok_or_else(|| Refusal::invalid("business_unit_id", "no business unit of this account"))?
        .clone();
    let manager = match given(&["project_manager_id"]).and_then(Value::as_str) {
        Some(id) => world
            .account
            .user(id)
            .map(|user| user.id.clone())
            .ok_or_else(|| Refusal::invalid("project_manager_id", "no user of this account"))?,
        None => world.account.caller().to_owned(),
    };
    let locale = string("locale").unwrap_or_default();
    if locale::split(&locale).is_none() {
        return Err(Refusal::invalid("locale", "a locale looks like eng_us"));
    }
    let (start_at, end_at) = fielding_times(body, now)?;
    let goal = given(&["completes_goal", "filling_goal"]).and_then(whole).map_or(0, |n| n.max(0) as u64);

    let price = read_money(body, "cost_per_interview")?;
    let price_note = read_money(body, "client_cost_per_interview_note")?;
    for (name, money) in [("cost_per_interview", &price), ("client_cost_per_interview_note", &price_note)] {
        if let Some(money) = money
            && money.currency != unit.currency
        {
            let reason = format!("the business unit's currency is {}", unit.currency);
            return Err(Refusal::invalid(format!("{name}.currency_code"), reason));
        }
    }
    if price.is_some() && !unit.pricing_models.contains(&"dynamic") {
        return Err(Refusal::invalid("cost_per_interview", "the business unit has rate cards only"));
    }
    for name in ["live_url", "test_url"] {
        if let Some(url) = call.text(name)
            && !url.starts_with("https://")
        {
            return Err(Refusal::invalid(name, "an HTTPS address is needed"));
        }
    }
    let supply = supply::of_draft(call, before.map(|old| &old.supply))?;
    let modules = assistant::modules(body.get("fielding_assistant_assignment").unwrap_or(&Value::Null));
    assistant::check(world, call.version, &modules, price.is_some(), &id)?;
    let audience = read_audience(world, call, goal)?;
    let activity = exclusions::read_activity(world, body, &id, &project_id)?;
    let mut kept: Map<String, Value> = KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), body.get(*name).filter(|v| !v.is_null())?.clone())))
        .collect();
    if !activity.is_empty() {
        kept.insert("respondent_activity_exclusions".into(), Value::Array(activity));
    }
    Ok(TargetGroup {
        id,
        human_id,
        project_id,
        name: call.text("name").unwrap_or_default().trim().to_owned(),
        business_unit: unit.id,
        locale,
        collects_pii: body.get("collects_pii").and_then(Value::as_bool).unwrap_or(false),
        study_type: string("study_type_code").unwrap_or_else(|| "adhoc".into()),
        industry: string("industry_code").unwrap_or_else(|| "other".into()),
        industry_lockout: string("industry_lockout_code").unwrap_or_else(|| "no_lockout".into()),
        manager,
        client_id: call.number("client_id"),
        start_at,
        end_at,
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
        assistant_version: 1,
        created_at,
        changed_at: now,
        run: None,
        completes: 0,
        prescreens: 0,
        pending: 0,
        entrants: 0,
        drops: 0,
        screened_out: [0; 3],
        by_supplier: BTreeMap::new(),
        by_hour: BTreeMap::new(),
        first_complete_at: None,
        last_complete_at: None,
        project_exclusion: false,
        project_exclusion_at: None,
        rids: Vec::new(),
        turned_away: 0,
        codes_taken: 0,
        credit: 0.0,
        arriving: false,
    })
}

fn fielding_times(body: &Value, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let moment = |name: &str| {
        let given = body.get("fielding_specification").and_then(|spec| spec.get(name)).and_then(Value::as_str);
        given
            .and_then(read)
            .ok_or_else(|| Refusal::invalid(format!("fielding_specification.{name}"), "a moment is needed"))
    };
    let (start_at, end_at) = (moment("start_at")?, moment("end_at")?);
    if end_at <= start_at {
        return Err(Refusal::invalid("fielding_specification.end_at", "not after start_at"));
    }
    if end_at <= now {
        return Err(Refusal::invalid("fielding_specification.end_at", "in the past"));
    }
    Ok((start_at, end_at))
}

fn read_audience(world: &mut World, call: &Call<'_>, goal: u64) -> Result<Audience, Refusal> {
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

pub(super) fn draft(world: &World, call: &Call<'_>) -> Outcome {
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

pub(super) fn details(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(world, launched(world, call)?)))
}

pub(super) fn overview(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(world, launched(world, call)?)))
}

pub(super) fn overview_alone(world: &World, call: &Call<'_>) -> Outcome {
    let group = world
        .groups
        .get(call.at("target_group_id"))
        .filter(|group| !group.is_draft())
        .ok_or_else(|| Refusal::not_found("launched target group"))?;
    Ok(Answer::json(200, facts(world, group)))
}

pub(super) fn update_details(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = launched(world, call)?.id.clone();
    let manager = call.text("project_manager_id").unwrap_or_default();
    let manager = world
        .account
        .user(manager)
        .map(|user| user.id.clone())
        .ok_or_else(|| Refusal::invalid("project_manager_id", "no user of this account"))?;
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

pub(super) fn update_price(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = launched(world, call)?;
    let id = group.id.clone();
    let currency = currency(world, group);
    let Some(price) = read_money(&call.body, "target_group_cpi")? else {
        return Err(Refusal::invalid("target_group_cpi", "a price is needed"));
    };
    if price.currency != currency {
        let reason = format!("the business unit's currency is {currency}");
        return Err(Refusal::invalid("target_group_cpi.currency_code", reason));
    }
    if group.price.is_none() {
        return Err(Refusal::bad_request("The price of a rate card group cannot be set."));
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

pub(super) fn update_strategy(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = launched(world, call)?;
    let id = group.id.clone();
    if group.status() == "paused" {
        return Err(Refusal::new(
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

pub(super) fn list(world: &World, call: &Call<'_>) -> Outcome {
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

pub(super) fn currency(world: &World, group: &TargetGroup) -> &'static str {
    world.account.business_unit(group.business_unit).map_or("USD", |unit| unit.currency)
}

/// A price paid, for groups with and without one of their own.
pub(super) fn price(group: &TargetGroup) -> f64 {
    match &group.price {
        Some(Money { value, .. }) => value.parse().unwrap_or(0.0),
        None => 2.5,
    }
}

/// Everything that any answer about a target group may want to say.
pub(super) fn facts(world: &World, group: &TargetGroup) -> Value {
    let currency = currency(world, group);
    let (language, country) = locale::split(&group.locale).unwrap_or(("eng", "us"));
    let rate = |part: u64, whole: u64| {
        if whole == 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) }
    };
    let conversion = rate(group.completes, group.entrants);
    let drop_off = rate(group.drops, group.prescreens);
    let incidence = rate(group.completes, group.prescreens);
    let seconds = if group.completes > 0 { json!(group.interview_minutes * 60) } else { json!(0) };
    let price = price(group);
    let cost = price * group.completes as f64;
    let progress = json!({
        "current_completes": group.completes,
        "current_prescreens": group.prescreens,
        "filling_goal": group.goal.max(1),
        "filling_strategy": group.filling_strategy,
    });
    let issue_free = |value: Value| json!({ "value": value, "issues": [] });
    let mut statistics = json!({ "progress": issue_free(progress.clone()) });
    if let (true, Some(map)) = (group.entrants > 0, statistics.as_object_mut()) {
        let click = if group.entrants == 0 { 0.0 } else { cost / group.entrants as f64 };
        map.insert("earnings_per_click".into(), issue_free(money(click, currency)));
        map.insert("average_cost_per_interview".into(), issue_free(money(price, currency)));
        map.insert("median_length_of_interview_seconds".into(), issue_free(seconds.clone()));
        map.insert("incidence_rate".into(), issue_free(json!(incidence)));
        map.insert("drop_off_rate".into(), issue_free(json!(drop_off)));
        map.insert("conversion_rate".into(), issue_free(json!(conversion)));
        if let Some(last) = group.last_complete_at {
            map.insert("last_complete_date".into(), issue_free(json!(text(last))));
        }
    }
    let link = |kind: &str| format!("https://sandbox.example.com/{kind}/{}", group.id);
    let project = world.projects.get(&group.project_id);
    let mut facts = json!({
        "id": group.id,
        "human_readable_id": group.human_id,
        "name": group.name,
        "target_group_name": group.name,
        "project_name": project.map_or("", |project| project.name.as_str()),
        "project_id": group.project_id,
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
        "progress": progress,
        "statistics": statistics,
        "current_cost_per_interview": money(price, currency),
        "average_cost_per_interview": money(price, currency),
        "current_cost": money(cost, currency),
        "conversion_rate": conversion,
        "drop_off_rate": drop_off,
        "incidence_rate": incidence,
        "median_length_of_interview_seconds": seconds,
        "links": { "test_screener": link("screener"), "test_client_survey": link("survey") },
    });
    if let Some(map) = facts.as_object_mut() {
        let (supply, fill) = (&group.supply, &group.by_supplier);
        map.insert("account_id".into(), json!(world.account.id));
        map.insert("profile".into(), legacy::draft_facts(&group.audience));
        map.insert("profiling".into(), modern::draft_facts(&group.audience));
        map.insert("fielding_assistant_assignment".into(), group.assistant.clone());
        map.insert("allocations".into(), supply_dialect::modern_facts(supply, group.goal, fill));
        map.insert("supply_allocations".into(), supply_dialect::legacy_facts(supply, group.goal, fill));
        let optional = [
            ("live_url", group.live_url.clone().map(Value::String)),
            ("test_url", group.test_url.clone().map(Value::String)),
            ("cost_per_interview", group.price.as_ref().map(money_facts)),
            ("client_cost_per_interview_note", group.price_note.as_ref().map(money_facts)),
            ("client_cpi", group.price_note.as_ref().map(money_facts)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                map.insert(name.into(), value);
            }
        }
        for (name, value) in &group.kept {
            map.insert(name.clone(), value.clone());
        }
    }
    facts
}
