//! Which writes change the same thing, so that the later one leaves nothing of the earlier one to repeat.
//! Read from method, path and body alone, so that it holds for every version.

use serde_json::Value;

use super::journal::Intent;

/// What a write changes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    /// What a path names.
    Path(String),
    /// An aspect of what a path names, or of a target group.
    Aspect(&'static str, String),
    /// A part of an aspect. Of two parts neither makes the other obsolete; the whole does, and is made so by each.
    Part(&'static str, String),
}

impl Thing {
    /// Whether a change of this one, made after that of the other, leaves nothing of it to be sent again: that would
    /// bring back what was before.
    fn covers(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Part(..), Self::Part(..)) => false,
            (
                Self::Aspect(one, of) | Self::Part(one, of),
                Self::Aspect(other, another) | Self::Part(other, another),
            ) => (one, of) == (other, another),
            _ => self == earlier,
        }
    }
}

/// Launching, pausing, resuming and the like.
const FIELDING: &str = "fielding";
const BULK_FIELDING: &str = "-fielding-runs-by-target-group-id";
/// Whom a target group asks, and how many of each.
const PROFILES: &str = "profiles";
/// What replaces profiles, or makes others of them.
const OF_ALL_PROFILES: [&str; 4] =
    ["apply-profiles", "create-interlocked-profile", "manage-profiles", "remove-interlocks"];

/// All that one write changes.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    things: Vec<Thing>,
    path: String,
    deletes: bool,
    /// They are of several target groups, each by itself.
    is_bulk: bool,
}

impl Changes {
    pub(super) fn of(intent: &Intent) -> Self {
        Self {
            things: things(intent),
            path: intent.path().trim_end_matches('/').to_owned(),
            deletes: intent.method == "DELETE",
            is_bulk: intent.path().contains("/batch-jobs/"),
        }
    }

    /// The target groups that a bulk write changes, each by itself; none of another write.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.each().map(|(_, group)| group)
    }

    /// Those of them of which these later ones leave nothing.
    pub(super) fn groups_changed_by<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = &'a str> {
        let covered = |thing: &Thing| later.things.iter().any(|later| later.covers(thing));
        self.each().filter(move |(thing, _)| covered(thing)).map(|(_, group)| group)
    }

    fn each(&self) -> impl Iterator<Item = (&Thing, &str)> {
        self.things.iter().filter(|_| self.is_bulk).filter_map(|thing| match thing {
            Thing::Aspect(_, group) => Some((thing, group.as_str())),
            Thing::Path(_) | Thing::Part(..) => None,
        })
    }

    /// Whether these, made after the other ones, leave nothing of them, or of a part of them: they are never to be sent
    /// again.
    pub(super) fn supersede(&self, earlier: &Self) -> bool {
        self.things.iter().any(|thing| earlier.things.iter().any(|earlier| thing.covers(earlier)))
            || (self.deletes && is_below(&earlier.path, &self.path))
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn things(intent: &Intent) -> Vec<Thing> {
    let path = intent.path().trim_end_matches('/');
    let (parent, action) = path.rsplit_once('/').unwrap_or_default();
    let mut things = match action {
        _ if intent.method != "POST" => vec![Thing::Path(path.to_owned())],
        _ if parent.ends_with("/batch-jobs") => bulk(intent, action),
        "enable-quotas" | "disable-quotas" => vec![Thing::Aspect("quotas", parent.to_owned())],
        "regenerate-secret" => vec![Thing::Aspect("secret", parent.to_owned())],
        // The completes of a project that are kept; the others are turned back.
        "completes" if parent.ends_with("/reconciliations") => vec![Thing::Path(path.to_owned())],
        _ => below_target_group(path, &["fielding-runs", "fielding-run-jobs"])
            .map(|group| Thing::Aspect(FIELDING, group))
            .into_iter()
            .collect(),
    };
    if let Some(group) = below_target_group(path, &[PROFILES]) {
        let of_all = intent.method == "POST" && OF_ALL_PROFILES.contains(&action);
        things.push(if of_all { Thing::Aspect(PROFILES, group) } else { Thing::Part(PROFILES, group) });
    }
    things
}

/// The target groups that a bulk job names.
fn bulk(intent: &Intent, action: &str) -> Vec<Thing> {
    let aspect = match action {
        "update-target-group-project-managers" => "manager",
        _ if action.ends_with(BULK_FIELDING) => FIELDING,
        _ => return Vec::new(),
    };
    let body = intent.json().unwrap_or_default();
    let groups = body.get("target_group_ids").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    groups.iter().filter_map(Value::as_str).map(|group| Thing::Aspect(aspect, group.to_owned())).collect()
}

/// The target group of which a path is about one of these: `.../target-groups/{id}/fielding-runs/...`.
fn below_target_group(path: &str, parts: &[&str]) -> Option<String> {
    let mut segments = path.split('/').skip_while(|segment| *segment != "target-groups").skip(1);
    let group = segments.next()?;
    segments.next().is_some_and(|part| parts.contains(&part)).then(|| group.to_owned())
}

#[cfg(test)]
mod tests {
    use cintx_raw::{Body, Operation, Request};
    use http::{HeaderValue, Method};

    use super::*;

    fn intent(method: &Method, path: &str, body: &str) -> Intent {
        let body = Body { bytes: body.to_owned().into(), content_type: HeaderValue::from_static("application/json") };
        let request = Request::to(Operation::undocumented(method), path).with_body(Some(body));
        Intent::of(&request, "2025-12-18", jiff::Timestamp::now())
    }

    #[test]
    fn a_later_write_supersedes_an_earlier_one_on_the_same_thing() {
        const P: &str = "/demand/accounts/1/projects/2";
        let groups = |ids: &str| format!("{{\"target_group_ids\":{ids}}}");
        let bulk = |action: &str, ids: &str| {
            intent(&Method::POST, &format!("{P}/batch-jobs/{action}-fielding-runs-by-target-group-id"), &groups(ids))
        };
        let put = |path: &str| intent(&Method::PUT, path, "{}");
        let post = |path: &str| intent(&Method::POST, path, "{}");
        let delete = |path: &str| intent(&Method::DELETE, path, "");
        let profiles = |group: &str, action: &str| post(&format!("{P}/target-groups/{group}/profiles/{action}"));
        let managers =
            intent(&Method::POST, &format!("{P}/batch-jobs/update-target-group-project-managers"), &groups("[\"a\"]"));
        for (earlier, later, is) in [
            (put("/a/1"), put("/a/1?x=y"), true),
            (put("/a/1"), put("/a/2"), false),
            (put("/a/1"), delete("/a/1"), true),
            (put("/a/1/b"), delete("/a/1"), true),
            (put("/a/11"), delete("/a/1"), false),
            (put("/a/1"), put("/a/1/b"), false),
            // Two creations are two things.
            (post("/a"), post("/a"), false),
            (post("/a/1/regenerate-secret"), post("/a/1/regenerate-secret"), true),
            (post("/a/1/regenerate-secret"), put("/a/1"), false),
            (post("/a/1/enable-quotas"), post("/a/1/disable-quotas"), true),
            (bulk("pause", "[\"a\",\"b\"]"), bulk("resume", "[\"b\"]"), true),
            (bulk("pause", "[\"a\"]"), bulk("resume", "[\"b\"]"), false),
            (bulk("pause", "[\"a\"]"), post(&format!("{P}/target-groups/a/fielding-runs/5/resume")), true),
            (bulk("pause", "[\"a\"]"), post(&format!("{P}/target-groups/b/fielding-runs/5/resume")), false),
            (bulk("launch", "[\"a\"]"), post(&format!("{P}/target-groups/a/fielding-run-jobs/x")), true),
            (bulk("pause", "[\"a\"]"), managers.clone(), false),
            (managers.clone(), managers.clone(), true),
            (bulk("launch", "[\"a\"]"), put(&format!("{P}/target-groups/a/details")), false),
            (profiles("a", "apply-profiles"), profiles("a", "apply-profiles"), true),
            (profiles("a", "apply-profiles"), profiles("b", "apply-profiles"), false),
            (profiles("a", "create-interlocked-profile"), profiles("a", "5/remove-interlocks"), true),
            (profiles("a", "5/remove-interlocks"), profiles("a", "create-interlocked-profile"), true),
            // What replaced them all would bring back the goals of before; one part says nothing of another.
            (profiles("a", "apply-profiles"), put(&format!("{P}/target-groups/a/profiles/filling-goal")), true),
            (put(&format!("{P}/target-groups/a/profiles/filling-goal")), profiles("a", "apply-profiles"), true),
            (profiles("a", "5/enable-quotas"), profiles("a", "apply-profiles"), true),
            (profiles("a", "5/enable-quotas"), profiles("a", "6/enable-quotas"), false),
            (profiles("a", "5/enable-quotas"), put(&format!("{P}/target-groups/a/profiles/filling-goal")), false),
            (post(&format!("{P}/target-groups/a/profiles")), post(&format!("{P}/target-groups/a/profiles")), false),
            (profiles("a", "apply-profiles"), post(&format!("{P}/target-groups/a/profiles")), true),
            (profiles("a", "apply-profiles"), put(&format!("{P}/target-groups/a/details")), false),
            (post(&format!("{P}/reconciliations/completes")), post(&format!("{P}/reconciliations/completes")), true),
            (post("/a/1/reconciliations"), post("/a/1/reconciliations"), false),
        ] {
            assert_eq!(later.supersedes(&earlier), is, "{} after {}", later.summary(), earlier.summary());
        }
    }
}
