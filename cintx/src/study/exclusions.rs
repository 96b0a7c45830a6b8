//! Who is kept out of a study's target group: compared and set as one, each part only where the file says it.

use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::exclusion::{ActivityExclusion, ActivitySource};
use crate::types::ActivityPeriod;
use crate::types::ids::{ExclusionGroupId, ProjectId, TargetGroupId};
use crate::version::Version;
use crate::wire::study::ExclusionSet;

/// Who is kept out. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyExclusions {
    /// Whether respondents of the project's other target groups are kept out. From 2025-02-17 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<bool>,
    /// Respondents of these target groups and projects are kept out; the whole list. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Vec<StudyActivity>>,
    /// The exclusion groups that it is in; the whole list. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<ExclusionGroupId>>,
}

/// A target group or a project whose recent respondents are kept out: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyActivity {
    /// The target group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_group: Option<TargetGroupId>,
    /// The project, with all of its target groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// How far back it counts; 90 days if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<ActivityPeriod>,
}

/// What the API takes for the period if none is given.
const DEFAULT_PERIOD: &str = "P90D";

impl StudyActivity {
    /// The recent respondents of a target group.
    pub fn target_group(id: impl Into<TargetGroupId>) -> Self {
        Self { target_group: Some(id.into()), project: None, within: None }
    }

    /// The recent respondents of a project.
    pub fn project(id: impl Into<ProjectId>) -> Self {
        Self { target_group: None, project: Some(id.into()), within: None }
    }

    fn exclusion(&self, problems: &mut Vec<FieldError>) -> Option<ActivityExclusion> {
        let of = match (&self.target_group, &self.project) {
            (Some(id), None) => ActivitySource::TargetGroup(id.clone()),
            (None, Some(id)) => ActivitySource::Project(id.clone()),
            (one, _) => {
                let given = if one.is_some() { "both" } else { "neither" };
                let reason = format!("activity names {given} of target_group and project, expected exactly one");
                problems.push(FieldError::new("exclusions", reason));
                return None;
            }
        };
        Some(ActivityExclusion { of, within: self.within })
    }

    /// What was read; `None` for what no file can say.
    pub(super) fn read(exclusion: &ActivityExclusion) -> Option<Self> {
        let made = match &exclusion.of {
            ActivitySource::TargetGroup(id) => Self::target_group(id.clone()),
            ActivitySource::Project(id) => Self::project(id.clone()),
            ActivitySource::Unknown { .. } => return None,
        };
        Some(Self { within: exclusion.within, ..made })
    }
}

impl StudyExclusions {
    /// What is wanted; what is wrong with it, or what a version lacks, is added to the problems.
    pub(super) fn set<V: Version>(&self, problems: &mut Vec<FieldError>) -> ExclusionSet {
        let lacks = [
            ("project", self.project.is_some() && !V::EXCLUDES_PROJECT),
            ("activity", self.activity.is_some() && !V::EXCLUDES_ACTIVITY),
            ("groups", self.groups.is_some() && !V::EXCLUDES_ACTIVITY),
        ];
        for (part, _) in lacks.into_iter().filter(|(_, lacks)| *lacks) {
            let reason = format!("say {part}, expected none: {} does not have it", V::DATE);
            problems.push(FieldError::new("exclusions", reason));
        }
        let activity = self.activity.as_ref();
        let activity = activity.map(|list| list.iter().filter_map(|it| it.exclusion(problems)).collect());
        ExclusionSet { project: self.project, activity, groups: self.groups.clone() }
    }

    /// What was read; what no file can say is left out, and `unknown` says so.
    pub(super) fn read(is: &ExclusionSet, unknown: &mut Vec<&'static str>) -> Self {
        let activity = is.activity.as_ref().map(|list| {
            let read: Vec<_> = list.iter().filter_map(StudyActivity::read).collect();
            if read.len() < list.len() {
                unknown.push("exclusions.activity");
            }
            read
        });
        Self { project: is.project, activity, groups: is.groups.clone() }
    }
}

/// The parts of what is wanted that differ from what there is.
pub(super) fn differing(is: &ExclusionSet, desired: &ExclusionSet) -> Vec<&'static str> {
    let activity = |set: &ExclusionSet| {
        let key = |it: &ActivityExclusion| {
            let within = it.within.or_else(|| DEFAULT_PERIOD.parse().ok());
            format!("{:?} {within:?}", it.of)
        };
        set.activity.as_ref().map(|list| sorted(list.iter().map(key)))
    };
    let groups = |set: &ExclusionSet| set.groups.as_ref().map(|list| sorted(list.iter().cloned()));
    let parts = [
        ("exclusions.project", desired.project.is_some() && is.project != desired.project),
        ("exclusions.activity", desired.activity.is_some() && activity(is) != activity(desired)),
        ("exclusions.groups", desired.groups.is_some() && groups(is) != groups(desired)),
    ];
    parts.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect()
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}
