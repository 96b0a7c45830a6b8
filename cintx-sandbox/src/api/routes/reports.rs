//! Reports: start one, ask how far it is, list, fetch, share.
//! Which levels a report can have, and how far back it reaches, is checked.

use super::{Outcome, Route};
use crate::api::answer::{Answer, Content, attachment};
use crate::api::call::Call;
use crate::api::dialect::ids;
use crate::api::rejection::Rejection;
use crate::sim::clock::{central_day, central_midnight, plus, text};
use crate::state::report::{self, Level, Progress, Report};
use crate::state::{World, page};
use jiff::{SignedDuration, ToSpan, civil};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("generate_report", generate),
    ("report_status", |world, call| state(world, call)),
    ("report_requests", |world, call| list(world, call)),
    ("download_report_v2", |world, call| download(world, call)),
    ("download_report", |world, call| download_by_name(world, call)),
    ("share_report", |world, call| share(world, call)),
];

fn level(call: &Call<'_>) -> Level {
    match call.text("filter").map(str::to_lowercase).as_deref() {
        Some("business_unit" | "business unit") => Level::BusinessUnit,
        Some("project") => Level::Project,
        Some("target_group" | "target group") => Level::TargetGroup,
        _ => Level::Account,
    }
}

/// What levels a kind of report can have.
fn check_level(kind: &str, level: Level, ids: usize) -> Result<(), Rejection> {
    let (fits, allowed) = match kind {
        "reconciliations-status" | "reconciliations" => (level != Level::BusinessUnit, "none, project or target_group"),
        "reconciliation-eligible-rids" | "respondent-analysis" => {
            let fits = (level == Level::Project && ids == 1) || level == Level::TargetGroup;
            (fits, "project with one id, target_group")
        }
        "term-details" => (level == Level::TargetGroup && ids == 1, "target_group with one id"),
        _ => (true, ""),
    };
    let named = (level == Level::Account) == (ids == 0);
    if !named {
        return Err(Rejection::invalid("filter_ids", "ids belong to a filter, and a filter needs ids"));
    }
    if fits {
        Ok(())
    } else {
        Err(Rejection::invalid("filter", format!("got {} with {ids} ids, {kind} allows: {allowed}", level.title())))
    }
}

fn check_ids(world: &World, level: Level, ids: &[String]) -> Result<(), Rejection> {
    let known = |id: &String| match level {
        Level::Account => true,
        Level::Project => world.projects.contains_key(id),
        Level::TargetGroup => world.groups.contains_key(id),
        Level::BusinessUnit => id.parse().is_ok_and(|id| world.account.business_unit(id).is_some()),
    };
    match ids.iter().find(|id| !known(id)) {
        Some(id) => Err(Rejection::invalid("filter_ids", format!("there is no {id}"))),
        None => Ok(()),
    }
}

fn days(world: &World, call: &Call<'_>) -> Result<(civil::Date, civil::Date), Rejection> {
    let today = central_day(world.now());
    let day = |name: &str| match call.text(name) {
        None => Ok(today),
        Some(given) => given
            .parse::<civil::Date>()
            .ok()
            .filter(|_| given.len() == 10)
            .ok_or_else(|| Rejection::refused(name, given, "a day like 2025-01-31")),
    };
    let (start, end) = (day("start_date")?, day("end_date")?);
    if end < start {
        return Err(Rejection::refused("end_date", end, format!("{start} or later")));
    }
    let latest = start.saturating_add(6.months());
    if end > latest {
        return Err(Rejection::refused("end_date", end, format!("{latest} or earlier, six months after start_date")));
    }
    let earliest = today.saturating_sub(12.months());
    if start < earliest {
        return Err(Rejection::refused("start_date", start, format!("{earliest} or later, twelve months ago")));
    }
    Ok((start, end))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn generate(world: &mut World, call: &Call<'_>) -> Outcome {
    let kind = call.at("report_type").to_owned();
    let (level, filter_ids) = (level(call), texts(call.body.get("filter_ids")));
    check_level(&kind, level, filter_ids.len())?;
    check_ids(world, level, &filter_ids)?;
    let (start, end) = days(world, call)?;
    for id in texts(call.body.get("email_recipients")) {
        if world.account.user(&id).is_none() {
            return Err(Rejection::invalid("email_recipients", world.account.not_a_user(&id)));
        }
    }
    let answers = call.body.pointer("/report_options/include_respondent_answers") == Some(&Value::Bool(true));
    let report = Report {
        id: world.ulid(),
        kind,
        level,
        filter_ids,
        start,
        end,
        answers,
        created_at: world.now(),
        created_by: world.account.caller().to_owned(),
        progress: Progress::Pending,
    };
    let facts = facts(world, call, &report);
    report::start(world, report);
    Ok(Answer::json(202, facts))
}

fn url(world: &World, call: &Call<'_>, report: &Report) -> String {
    let base = format!("/v1/demand/accounts/{}/reports", world.account.id);
    if call.version.is_legacy() {
        let file = format!("{}.{}", ids::uuid_of(&report.id), report.extension());
        format!("{base}/download?file={file}&report_type={}", report.kind)
    } else {
        format!("{base}/{}/download", report.id)
    }
}

fn facts(world: &World, call: &Call<'_>, report: &Report) -> Value {
    let legacy = call.version.is_legacy();
    let filter = match report.level {
        Level::Account => Value::Null,
        level => json!(level.title()),
    };
    let params = json!({
        "start_date": report.start.to_string(),
        "end_date": report.end.to_string(),
        "filter": filter,
        "filter_ids": report.filter_ids,
        "report_options": { "include_respondent_answers": report.answers },
    });
    let user = world.account.user(&report.created_by);
    let name = user.map_or("", |user| user.name.as_str());
    json!({
        "report_id": if legacy { ids::uuid_of(&report.id) } else { report.id.clone() },
        "report_type": report.kind,
        "report_url": url(world, call, report),
        "message": "The report is being written.",
        "status": match report.progress {
            Progress::Pending => "pending",
            Progress::Failed => "failed",
            Progress::Completed(_) => "completed",
        },
        "level": report.level.title(),
        "create_date": text(report.created_at),
        "start_date": report.start.to_string(),
        "end_date": report.end.to_string(),
        "create_params": if legacy { json!(params.to_string()) } else { params },
        "requestor": user.map(|user| json!({ "id": user.id, "name": user.name, "email": user.email })),
        "requestor_name": name,
        "account_name": world.account.name,
    })
}

fn find<'w>(world: &'w World, given: &str) -> Result<&'w Report, Rejection> {
    world.reports.get(&ids::kept(given)).ok_or_else(|| Rejection::not_found("report"))
}

fn state(world: &World, call: &Call<'_>) -> Outcome {
    let report = find(world, call.at("report_id"))?;
    let (status, message) = match report.progress {
        Progress::Pending => ("IN PROGRESS", "The report is being written."),
        // There is no published word for it; the list says more.
        Progress::Failed => ("IN PROGRESS", "The report could not be written."),
        Progress::Completed(_) => ("COMPLETED", "The report is ready."),
    };
    let mut facts = facts(world, call, report);
    if let Some(map) = facts.as_object_mut() {
        map.insert("report_id".into(), json!(report.id));
        map.insert("status".into(), json!(status));
        map.insert("message".into(), json!(message));
        map.insert("start_date".into(), json!(text(central_midnight(report.start))));
        map.insert("end_date".into(), json!(text(central_midnight(report.end))));
        map.insert("respondent_answer".into(), json!(report.answers));
    }
    Ok(Answer::json(200, facts))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let word = |report: &Report| match report.progress {
        Progress::Pending => "processing",
        Progress::Failed => "failed",
        Progress::Completed(_) => "completed",
    };
    let level = |report: &Report| report.level.title().to_lowercase().replace(' ', "_");
    let all: Vec<&Report> = world
        .reports
        .values()
        .rev()
        .filter(|report| call.query("report_type").is_none_or(|kind| kind == report.kind))
        .filter(|report| call.query("level").is_none_or(|wanted| wanted == level(report)))
        .filter(|report| call.query("Status").is_none_or(|wanted| wanted == word(report)))
        .collect();
    let page = page::cut(all, &call.window(10, 100)?, |report| report.id.clone())?;
    let reports: Vec<Value> = page.items.iter().map(|report| facts(world, call, report)).collect();
    Ok(Answer::json(200, json!({ "next_cursor": page.next, "reports_requests": reports })))
}

fn file(report: &Report) -> Outcome {
    let Progress::Completed(file) = &report.progress else {
        return Err(Rejection::not_found("report file yet"));
    };
    let mut answer = Answer::empty(200).with("content-disposition", attachment(&report.file_name()));
    answer.content = Content::Bytes(report.media_type(), file.to_vec());
    Ok(answer)
}

fn download(world: &World, call: &Call<'_>) -> Outcome {
    file(find(world, call.at("report_id"))?)
}

/// The older versions name the file in the query.
fn download_by_name(world: &World, call: &Call<'_>) -> Outcome {
    let name = call.query("file").unwrap_or_default();
    let id = name.split('.').next().unwrap_or_default();
    file(find(world, id)?)
}

fn share(world: &World, call: &Call<'_>) -> Outcome {
    let report = find(world, call.at("report_id"))?;
    file(report)?;
    let until = text(plus(world.now(), SignedDuration::from_mins(15)));
    let url = format!("https://files.sandbox.example.com/reports/{}?expires={until}", report.id);
    Ok(Answer::json(200, json!({ "report_pre_signed_url": url })))
}
