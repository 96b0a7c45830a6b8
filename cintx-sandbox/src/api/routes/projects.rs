//! Projects: create once per key, read, list, replace.
//! Updates are full replacements and ask for the ETag.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::first;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::World;
use crate::state::ledger::{Tally, median_length, rate};
use crate::state::page;
use crate::state::project::Project;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("create_project", create),
    ("list_account_projects", |world, call| list(world, call)),
    ("get_project_by_id", |world, call| get(world, call)),
    ("update_project", update),
    ("project_overview", |world, call| overview(world, call)),
];

/// The name that a project's reference had, and has.
const REFERENCE: &[&str] = &["project_customer_reference_number", "purchase_order_number"];

/// The project of the path.
pub(super) fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Project, Rejection> {
    world.projects.get(call.at("project_id")).ok_or_else(|| Rejection::not_found("project"))
}

fn manager(world: &World, call: &Call<'_>) -> Result<String, Rejection> {
    let id = call.text("project_manager_id").unwrap_or_default();
    let user =
        world.account.user(id).ok_or_else(|| Rejection::invalid("project_manager_id", world.account.not_a_user(id)))?;
    Ok(user.id.clone())
}

fn name(call: &Call<'_>) -> String {
    // Names are trimmed.
    call.text("name").unwrap_or_default().trim().to_owned()
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let manager = manager(world, call)?;
    let now = world.now();
    let project = Project {
        id: world.ulid(),
        human_id: world.rng.code(6),
        name: name(call),
        manager,
        reference: first(&call.body, REFERENCE).and_then(Value::as_str).map(str::to_owned),
        groups: Vec::new(),
        created_at: now,
        changed_at: now,
        version: 1,
    };
    let answer = Answer::json(202, json!({ "id": project.id })).with("etag", project.etag());
    let weight = project.weight();
    world.projects.put(project.id.clone(), project, weight);
    Ok(answer)
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let project = find(world, call)?;
    Ok(Answer::json(200, facts(world, project)).with("etag", project.etag()))
}

fn overview(world: &World, call: &Call<'_>) -> Outcome {
    let project = find(world, call)?;
    Ok(Answer::json(200, facts(world, project)))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    call.match_etag(&find(world, call)?.etag())?;
    let manager = manager(world, call)?;
    let now = world.now();
    let Some(project) = world.projects.get_mut(call.at("project_id")) else {
        return Err(Rejection::not_found("project"));
    };
    project.name = name(call);
    project.manager = manager;
    // A reference that is left out is deleted.
    project.reference = first(&call.body, REFERENCE).and_then(Value::as_str).map(str::to_owned);
    project.changed_at = now;
    project.version += 1;
    let body = json!({ "id": project.id, "human_readable_id": project.human_id });
    let answer = Answer::json(200, body).with("etag", project.etag());
    let weight = project.weight();
    world.projects.reweigh(call.at("project_id"), weight);
    Ok(answer)
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let window = call.window(10, 100)?;
    let contains =
        |text: &str, part: Option<&str>| part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()));
    // The newest first, as people look for it.
    let projects: Vec<&Project> = world
        .projects
        .values()
        .rev()
        .filter(|p| call.query("project_manager_id").is_none_or(|id| p.manager.eq_ignore_ascii_case(id)))
        .filter(|p| call.query("status").is_none_or(|wanted| wanted == status(world, p)))
        .filter(|p| contains(&p.name, call.query("name")))
        .filter(|p| {
            contains(&p.name, call.query("search_string")) || contains(&p.human_id, call.query("search_string"))
        })
        .collect();
    let page = page::cut(projects, &window, |project| project.id.clone())?;
    let body = json!({
        "projects": page.items.iter().map(|project| facts(world, project)).collect::<Vec<_>>(),
        "url": format!("/v1{}", call.requested),
        "has_more": page.next.is_some(),
        "next_cursor": page.next,
    });
    Ok(Answer::json(200, body))
}

/// A project is active while one of its groups may still collect.
fn status(world: &World, project: &Project) -> &'static str {
    let idle = world.groups_of(&project.id).all(|group| matches!(group.status(), "completed" | "archived"));
    let empty = world.groups_of(&project.id).next().is_none();
    if idle && !empty { "inactive" } else { "active" }
}

fn facts(world: &World, project: &Project) -> Value {
    let groups: Vec<_> = world.groups_of(&project.id).collect();
    let sum = |part: fn(&crate::state::target_group::TargetGroup) -> u64| groups.iter().map(|g| part(g)).sum::<u64>();
    let entrants = sum(|group| group.ledger.entrants());
    let mut total = Tally::default();
    groups.iter().for_each(|group| total.add(&group.ledger.total));
    json!({
        "id": project.id,
        "human_readable_id": project.human_id,
        "human-readable-id": project.human_id,
        "account_id": world.account.id,
        "name": project.name,
        "project_manager_id": project.manager,
        "purchase_order_number": project.reference,
        "project_customer_reference_number": project.reference,
        "target_group_human_readable_ids": groups.iter().map(|g| g.human_id.as_str()).collect::<Vec<_>>(),
        "target_group_customer_reference_numbers":
            groups.iter().filter_map(|g| g.reference.as_deref()).collect::<Vec<_>>(),
        "target_group_count": groups.len(),
        "status": status(world, project),
        "created_at": text(project.created_at),
        "last_activity_at": text(groups.iter().map(|g| g.changed_at).max().unwrap_or(project.changed_at)),
        "statistics": {
            "filling_goal": sum(|group| group.goal),
            "current_completes": total.completes,
            "current_prescreens": total.entered(),
            "incidence_rate_median": total.incidence(),
            "length_of_interview_median_seconds": median_length(groups.iter().map(|group| &group.ledger)),
            "conversion_rate_average": rate(total.completes, entrants),
            "drop_off_rate_average": total.drop_off(),
        },
    })
}
