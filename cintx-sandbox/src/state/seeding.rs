//! Puts what a seed file has into a state that is new: the account, the
//! market, and studies that have been in field for some days.

use super::audience::{Adjustment, Audience, Condition, Profile, ProfileKind, Quota, Target, Wanted};
use super::fielding::{self, Action, RunStatus};
use super::project::Project;
use super::supply::{Share, Supply};
use super::target_group::{Money, TargetGroup};
use super::{Account, User, World};
use crate::seed_file::{SeedFile, SeedGroup, SeedProject, SeedQuotas, SeedStatus, SeedUnit};
use crate::sim::clock::plus;
use crate::sim::rng::Rng;
use jiff::SignedDuration;

/// What the file says of the account.
pub(super) fn account(file: &SeedFile, seed: u64, account: &mut Account) {
    let given = &file.account;
    let set = |own: &mut String, given: &Option<String>| {
        if let Some(given) = given {
            own.clone_from(given);
        }
    };
    account.id = given.id.unwrap_or(account.id);
    set(&mut account.name, &given.name);
    set(&mut account.client_id, &given.client_id);
    set(&mut account.client_secret, &given.client_secret);
    set(&mut account.s2s_key, &given.s2s_key);
    if !file.users.is_empty() {
        let mut rng = Rng::named(seed, "users");
        account.users = file
            .users
            .iter()
            .map(|user| User {
                id: user.id.clone().unwrap_or_else(|| rng.uuid()),
                name: user.name.clone(),
                email: user.email.clone(),
            })
            .collect();
    }
    if !file.business_units.is_empty() {
        account.business_units = file.business_units.iter().map(SeedUnit::make).collect();
    }
    if !file.clients.is_empty() {
        account.clients = file.clients.iter().map(|client| (client.id, client.name.clone())).collect();
    }
}

/// The file's studies. Those in field have run since they were launched.
pub(super) fn studies(world: &mut World) {
    let file = world.settings.seed_file.clone();
    let mut stopped = Vec::new();
    for one in &file.projects {
        let project = project(world, one);
        for given in &one.groups {
            let id = group(world, given, &project);
            match given.status {
                SeedStatus::Paused => stopped.push((id, Action::Pause)),
                SeedStatus::Completed => stopped.push((id, Action::Complete)),
                SeedStatus::Live | SeedStatus::Draft => {}
            }
        }
    }
    world.settle();
    let now = world.now();
    for (id, action) in stopped {
        // A group that has reached its goal meanwhile stays as it is.
        let _ = fielding::act(world, now, &id, action);
    }
}

fn project(world: &mut World, given: &SeedProject) -> String {
    let now = world.now();
    let longest = given.groups.iter().map(|group| group.days_in_field).max().unwrap_or(0);
    let created_at = plus(now, -days(longest));
    let project = Project {
        id: world.rng.ulid(created_at),
        human_id: world.rng.code(6),
        name: given.name.clone(),
        manager: world.account.caller().to_owned(),
        reference: given.reference.clone(),
        groups: Vec::new(),
        created_at,
        changed_at: created_at,
        version: 1,
    };
    let id = project.id.clone();
    world.projects.put(id.clone(), project, 1_000);
    id
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

fn group(world: &mut World, given: &SeedGroup, project: &str) -> String {
    let now = world.now();
    let (start, end) = (plus(now, -days(given.days_in_field)), plus(now, days(given.days_left)));
    let (id, human_id) = (world.rng.ulid(start), world.rng.code(7));
    let unit = given.business_unit.and_then(|id| world.account.business_unit(id));
    let unit = unit.or_else(|| world.account.business_units.first());
    let (unit, currency) = unit.map_or((0, "USD".to_owned()), |unit| (unit.id, unit.currency.clone()));
    let mut supply = Supply::default();
    if !given.suppliers.is_empty() {
        let id = supply.fresh_id();
        supply.exchange_max = 0;
        supply.groups.push(Share { id, name: "Chosen".into(), min: 0, max: 100, suppliers: given.suppliers.clone() });
    }
    let profiles = given.quotas.iter().map(|quotas| profile(world, quotas)).collect();
    let mut audience = Audience { adjustment: Adjustment::Percentage, template_id: None, profiles };
    audience.set_goals(given.goal);
    // What a seed file has too much is not there.
    let _ = world.add_group(TargetGroup {
        name: given.name.clone(),
        business_unit: unit,
        locale: given.locale.clone(),
        study_type: "adhoc".into(),
        industry: "other".into(),
        industry_lockout: "no_lockout".into(),
        manager: world.account.caller().to_owned(),
        goal: given.goal,
        interview_minutes: given.minutes,
        incidence: given.incidence,
        price: given.price.clone().map(|value| Money { value, currency }),
        live_url: Some(given.live_url.clone()),
        filling_strategy: "prescreens".into(),
        audience,
        supply,
        assistant: serde_json::json!({}),
        ..TargetGroup::new(id.clone(), human_id, project.to_owned(), start, (start, end))
    });
    if given.status != SeedStatus::Draft {
        fielding::create(world, start, &id, start, end, RunStatus::Live);
    }
    id
}

fn profile(world: &mut World, given: &SeedQuotas) -> Profile {
    let rng = &mut world.rng;
    let targets = given
        .targets
        .iter()
        .map(|target| Target {
            id: rng.uuid(),
            name: None,
            conditions: vec![Condition {
                id: rng.uuid(),
                question: given.question,
                wanted: match &target.option {
                    Some(option) => Wanted::Option(option.clone()),
                    None => Wanted::Range(target.min.unwrap_or(0), target.max.unwrap_or(0)),
                },
                text: None,
            }],
            grouped: false,
            quota: Some(Quota { percentage: target.percent, ..Quota::default() }),
        })
        .collect();
    Profile {
        id: rng.uuid(),
        legacy_id: 1_000 + rng.below(900_000),
        kind: ProfileKind::Regular,
        name: None,
        quotas_enabled: true,
        targets,
        participants: Vec::new(),
    }
}
