//! Lists of respondents by file: what to exclude, whom to ask again. The work
//! is done by jobs, whose states the two families spell differently.

use super::{Outcome, Route, target_groups};
use crate::api::answer::{Answer, Content, attachment};
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::file_job::{self, FileJob, List, Order, Progress, Work};
use crate::state::{World, page};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("exclusion_create_upload_rids_by_file_job", upload),
    ("recontact_create_upload_respondents_by_file_job", upload),
    ("recontact_create_upload_rsids_by_file_job", upload),
    ("exclusion_create_remove_all_respondents_job", clear),
    ("create_all_recontact_rsids_removal_job", clear),
    ("get_respondent_exclusions_upload_by_file_job", |world, call| job(world, call)),
    ("get_all_respondent_exclusions_removal_job", |world, call| job(world, call)),
    ("recontacts_remove_all_rsids_job_status", |world, call| job(world, call)),
    ("get_recontact_upload_respondents_by_file_job", |world, call| job(world, call)),
    ("get_recontacts_rsids_upload_file_job_status", |world, call| job(world, call)),
    ("recontact_list_upload_respondents_by_file_jobs", |world, call| jobs(world, call)),
    ("recontact_download_job_file", |world, call| download(world, call)),
    ("get_exclusions_overview", |world, call| overview(world, call)),
    ("get_recontacts_overview", |world, call| overview(world, call)),
    ("get_target_group_rsid_exclusion_list_api_paginated", |world, call| {
        list(world, call, List::ExcludedRsids, 1_000, 1_000)
    }),
    ("get_target_group_access_respondent_guid_exclusion_list_api_paginated", |world, call| {
        list(world, call, List::ExcludedGuids, 1_000, 1_000)
    }),
    ("get_target_group_rsid_recontact_list", |world, call| list(world, call, List::Recontacts, 10, 100)),
];

/// The largest file.
const MAX_FILE_BYTES: usize = 5_000_000;

/// The one file of a multipart body: its name and content.
fn file<'c>(call: &Call<'c>) -> Result<(String, &'c [u8]), Rejection> {
    let media = call.header("content-type").unwrap_or_default();
    let boundary = media
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("boundary="))
        .next()
        .map(|text| text.trim_matches('"'))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Rejection::invalid("content-type", "the boundary is missing"))?;
    let mark = format!("--{boundary}");
    let mut rest = call.raw;
    while let Some(at) = find(rest, mark.as_bytes()) {
        rest = rest.get(at + mark.len()..).unwrap_or_default();
        let Some(head_end) = find(rest, b"\r\n\r\n") else {
            break;
        };
        let head = String::from_utf8_lossy(rest.get(..head_end).unwrap_or_default()).into_owned();
        let body = rest.get(head_end + 4..).unwrap_or_default();
        let end = find(body, format!("\r\n{mark}").as_bytes()).unwrap_or(body.len());
        if head.contains("name=\"file\"") || head.contains("name=file") {
            let name = head.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("file.csv");
            let content = body.get(..end).unwrap_or_default();
            return Ok((name.to_owned(), content));
        }
    }
    Err(Rejection::invalid("file", "a part of that name is required"))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// One id per line.
fn ids(content: &[u8]) -> Result<Vec<String>, Rejection> {
    if content.len() > MAX_FILE_BYTES {
        return Err(Rejection::new(
            413,
            "content_too_large_error",
            format!("The file has more than {MAX_FILE_BYTES} bytes."),
        ));
    }
    let text = std::str::from_utf8(content).map_err(|_| Rejection::invalid("file", "not UTF-8"))?;
    let ids: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if ids.is_empty() { Err(Rejection::invalid("file", "the file is empty")) } else { Ok(ids) }
}

/// The segment of the path behind `jobs`.
fn kind<'c>(call: &Call<'c>) -> &'c str {
    call.operation.path().split('/').skip_while(|segment| *segment != "jobs").nth(1).unwrap_or("")
}

fn list_of(call: &Call<'_>) -> List {
    match call.query("entity_type") {
        _ if call.operation.path().contains("/recontacts/") => List::Recontacts,
        Some("ACCESS_RESPONDENT_GUID") => List::ExcludedGuids,
        _ => List::ExcludedRsids,
    }
}

fn upload(world: &mut World, call: &Call<'_>) -> Outcome {
    let (name, content) = file(call)?;
    let entity = call.query("entity_type").unwrap_or("RSID").to_owned();
    let work = Work::Add { entity, ids: ids(content)? };
    start(world, call, work, name, content)
}

fn clear(world: &mut World, call: &Call<'_>) -> Outcome {
    start(world, call, Work::Clear, String::new(), &[])
}

fn start(world: &mut World, call: &Call<'_>, work: Work, file_name: String, content: &[u8]) -> Outcome {
    let order = Order {
        group: target_groups::find(world, call)?.id.clone(),
        list: list_of(call),
        kind: kind(call).to_owned(),
        work,
        file_name,
        file: content.into(),
        trace_id: call.trace_id.clone(),
    };
    let id = file_job::start(world, order)?;
    Ok(Answer::json(201, json!({ "job_id": id })))
}

fn find_job<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w FileJob, Rejection> {
    let group = target_groups::find(world, call)?;
    let recontact = call.operation.path().contains("/recontacts/");
    world
        .file_jobs
        .get(call.at("job_id"))
        .filter(|job| job.order.group == group.id && job.order.kind == kind(call))
        .filter(|job| (job.order.list == List::Recontacts) == recontact)
        .ok_or_else(|| Rejection::not_found("job"))
}

fn facts(job: &FileJob) -> Value {
    let done = if job.order.list == List::Recontacts { "Completed" } else { "Success" };
    let (status, partial, failure) = match &job.progress {
        Progress::Processing => ("Processing", None, None),
        Progress::Done(partial) => (done, partial.as_ref().map(|text| json!({ "description": text })), None),
        Progress::Failed(code, text) => ("Failed", None, Some(json!({ "code": code, "description": text }))),
    };
    json!({
        "job_id": job.id,
        "created_at": text(job.created_at),
        "created_by": job.created_by,
        "file_name": job.order.file_name,
        "status": status,
        "completed_at": job.completed_at.map(text),
        "partial_success_reason": partial,
        "failure_reason": failure,
        "job_trace_id": job.order.trace_id,
    })
}

fn job(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(find_job(world, call)?)))
}

fn jobs(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let mut window = call.window(10, 100)?;
    // This list may give less than was asked for though there is more; here
    // it always does, so that nobody takes a short page for the last one.
    window.size = (window.size - 1).max(1);
    let jobs: Vec<&FileJob> = world
        .file_jobs
        .values()
        .rev()
        .filter(|job| job.order.group == group.id && job.order.list == List::Recontacts && job.order.kind == kind(call))
        .collect();
    let page = page::cut(jobs, &window, |job| job.id.clone())?;
    let data: Vec<Value> = page.items.iter().map(|job| facts(job)).collect();
    Ok(Answer::json(200, json!({ "data": data, "next_cursor": page.next })))
}

fn download(world: &World, call: &Call<'_>) -> Outcome {
    let job = find_job(world, call)?;
    let mut answer = Answer::empty(200);
    answer.content = Content::Bytes("application/octet-stream", job.order.file.to_vec());
    Ok(answer.with("content-disposition", attachment(&job.order.file_name)))
}

fn overview(world: &World, call: &Call<'_>) -> Outcome {
    let group = &target_groups::find(world, call)?.id;
    let list = list_of(call);
    let facts = json!({
        "saved_respondent_ids_count": file_job::count(world, group, list),
        "saved_access_respondent_guids_count": file_job::count(world, group, List::ExcludedGuids),
    });
    Ok(Answer::json(200, facts))
}

/// The ids of a list, page by page.
fn list(world: &World, call: &Call<'_>, list: List, usual: usize, most: usize) -> Outcome {
    let group = &target_groups::find(world, call)?.id;
    let window = call.window(usual, most)?;
    let ids: Vec<&String> = file_job::ids(world, group, list).into_iter().flatten().collect();
    let page = page::cut(ids, &window, |id| (*id).clone())?;
    let facts = json!({ "data": page.items, "next_cursor": page.next, "url": format!("/v1{}", call.requested) });
    Ok(Answer::json(200, facts))
}
