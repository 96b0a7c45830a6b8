//! Jobs that read a file of ids into a target group's lists, or empty them:
//! exclusions and recontacts. One of each kind at a time per group.

use super::World;
use super::arrivals;
use super::field;
use super::job::planned_failure;
use super::saved;
use super::schedule::Event;
use super::session::respondent_id;
use crate::api::rejection::Rejection;
use crate::contract::is_uuid;
use crate::sim::clock::plus;
use crate::sim::rng::Rng;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The greatest number of ids in a list.
pub(crate) const MAX_IDS: usize = 100_000;

/// Which of a group's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum List {
    /// Respondents to leave out, by RSID.
    ExcludedRsids,
    /// Respondents to leave out, by access GUID.
    ExcludedGuids,
    /// Respondents to ask again, by RSID.
    Recontacts,
    /// Respondents to leave out, by the older versions' client ids.
    ExcludedCids,
    /// Unique codes for live respondents that nobody has taken yet.
    LiveCodes,
    /// The same for test respondents.
    TestCodes,
}

impl List {
    fn key(self, group: &str) -> String {
        format!("{group}/{self:?}")
    }

    /// Whether it belongs to recontacts, as far as jobs keep apart.
    fn is_recontact(self) -> bool {
        self == Self::Recontacts
    }
}

/// What a job does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Adds ids, given in this kind.
    Add { entity: String, ids: Vec<String> },
    /// Empties the list.
    Clear,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Processing,
    /// With the reason why not all of it was done, if so.
    Done(Option<String>),
    /// With code and description.
    Failed(String, String),
}

/// What is asked of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) group: String,
    pub(crate) list: List,
    /// The path segment under which it is found.
    pub(crate) kind: String,
    pub(crate) work: Work,
    pub(crate) file_name: String,
    /// The file as it was sent.
    #[serde(with = "saved::bytes")]
    pub(crate) file: Arc<[u8]>,
    pub(crate) trace_id: String,
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileJob {
    pub(crate) id: String,
    pub(crate) order: Order,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) progress: Progress,
    pub(crate) completed_at: Option<Timestamp>,
}

/// The ids of a list.
pub(crate) fn ids<'w>(world: &'w World, group: &str, list: List) -> Option<&'w BTreeSet<String>> {
    world.lists.get(&list.key(group))
}

/// How many ids a list has.
pub(crate) fn count(world: &World, group: &str, list: List) -> usize {
    ids(world, group, list).map_or(0, BTreeSet::len)
}

/// Replaces a list.
pub(crate) fn store(world: &mut World, group: &str, list: List, ids: BTreeSet<String>) {
    let weight = 100 + 80 * ids.len();
    world.lists.put(list.key(group), ids, weight);
}

/// Takes the first entry of a list.
pub(crate) fn take_first(world: &mut World, group: &str, list: List) -> Option<String> {
    world.lists.get_mut(&list.key(group))?.pop_first()
}

/// Plans a job; refused while another of its kind runs for the group.
pub(crate) fn start(world: &mut World, order: Order) -> Result<String, Rejection> {
    let slot = (order.group.clone(), order.list.is_recontact());
    let running = world.busy.get(&slot).and_then(|id| world.file_jobs.get(id));
    if running.is_some_and(|job| job.progress == Progress::Processing) {
        return Err(Rejection::new(409, "conflict_error", "Another job is running for this target group."));
    }
    let now = world.now();
    let id = world.ulid();
    let weight = 1_000 + 3 * order.file.len();
    let job = FileJob {
        id: id.clone(),
        order,
        created_at: now,
        created_by: world.account.caller().to_owned(),
        progress: Progress::Processing,
        completed_at: None,
    };
    world.file_jobs.put(id.clone(), job, weight);
    if world.busy.len() > world.file_jobs.len() {
        // Jobs that gave way before their end came.
        world.busy.retain(|_, id| world.file_jobs.contains_key(id));
    }
    world.busy.insert(slot, id.clone());
    let ready = plus(now, world.settings.job_delay);
    world.schedule.plan(ready, Event::FileJobEnds(id.clone()));
    Ok(id)
}

/// Does a job's work.
pub(crate) fn finish(world: &mut World, at: Timestamp, id: &str) {
    let Some(job) = world.file_jobs.get(id).cloned() else {
        return;
    };
    let Order { group, list, .. } = &job.order;
    world.busy.remove(&(group.clone(), list.is_recontact()));
    let progress = if let Some(failure) = planned_failure(world, group) {
        Progress::Failed(failure.code.into_owned(), failure.description)
    } else if world.fails_next() {
        Progress::Failed("JobExecutionStartMessageFailed".into(), "The job could not be started.".into())
    } else {
        run(world, &job.order)
    };
    if let Some(job) = world.file_jobs.get_mut(id) {
        job.progress = progress;
        job.completed_at = Some(at);
        // The ids are in their list now.
        job.order.work = Work::Clear;
    }
    arrivals::look_again(world, at, &job.order.group);
}

/// Whether an id is written as events write respondents' ids.
fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Everyone who is known, by the number that events give.
fn rids_by_number(world: &World) -> BTreeMap<u64, &str> {
    let number = |rid: &str| respondent_id(&mut Rng::named(world.settings.seed, rid));
    world.sessions.values().map(|session| (number(&session.rid), session.rid.as_str())).collect()
}

fn run(world: &mut World, job: &Order) -> Progress {
    let Work::Add { entity, ids: given } = &job.work else {
        store(world, &job.group, job.list, BTreeSet::new());
        return Progress::Done(None);
    };
    let mut all = ids(world, &job.group, job.list).cloned().unwrap_or_default();
    let mut bad = 0_usize;
    let numbers = if given.iter().any(|one| is_number(one)) { rids_by_number(world) } else { BTreeMap::new() };
    for one in given {
        let known = match entity.as_str() {
            "RSID" | "RESPONDENT_ID" if is_number(one) => {
                one.parse().ok().and_then(|number: u64| numbers.get(&number)).map(|rid| rid.to_lowercase())
            }
            "RSID" | "RESPONDENT_ID" | "ACCESS_RESPONDENT_GUID" => is_uuid(one).then(|| one.to_lowercase()),
            // Other ids are those of people who have been here.
            _ => field::find(world, one).map(|rid| rid.to_lowercase()),
        };
        match known {
            Some(id) => drop(all.insert(id)),
            None => bad += 1,
        }
    }
    if all.len() > MAX_IDS {
        return Progress::Failed("TooManyRespondents".into(), format!("More than {MAX_IDS} ids in all."));
    }
    if bad == given.len() {
        return Progress::Failed("NoValidRespondents".into(), "None of the ids is valid.".into());
    }
    store(world, &job.group, job.list, all);
    Progress::Done((bad > 0).then(|| format!("{bad} of {} ids are not valid or not known.", given.len())))
}
