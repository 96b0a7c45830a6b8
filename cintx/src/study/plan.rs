//! A plan: the difference between a study and what exists.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::launched::LaunchedChange;
use super::{Study, StudyGroup};
use crate::client::Client;
use crate::error::{Error, ErrorKind, FieldError};
use crate::project::{Project, ProjectScope};
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{Draft, DraftSettings, TargetGroup, TargetGroupStatus};
use crate::version::Version;

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// A project is made.
    CreateProject {
        /// The name of the project.
        name: String,
    },
    /// A project is changed.
    ChangeProject {
        /// The name of the project.
        name: String,
        /// What is changed.
        fields: Vec<String>,
    },
    /// A target group is made.
    CreateTargetGroup {
        /// The name of the target group.
        name: String,
        /// What can be had, and for how much; `None` where it could not be computed.
        feasibility: Option<Feasibility>,
    },
    /// A target group is changed.
    ChangeTargetGroup {
        /// The name of the target group.
        name: String,
        /// What is changed.
        fields: Vec<String>,
        /// The profiles in field that another audience leaves out: they are deleted, with their counts.
        deletes: Vec<String>,
    },
    /// A target group is launched.
    Launch {
        /// The name of the target group.
        name: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateProject { name } => write!(f, "create project {name:?}"),
            Self::ChangeProject { name, fields } => write!(f, "change project {name:?}: {}", fields.join(", ")),
            Self::CreateTargetGroup { name, feasibility } => {
                write!(f, "create target group {name:?}")?;
                let Some(feasibility) = feasibility else { return Ok(()) };
                if let (Some(min), Some(max)) = (feasibility.completes_min, feasibility.completes_max) {
                    write!(f, ": {min} to {max} completes can be had")?;
                }
                match &feasibility.suggested_price {
                    Some(price) => write!(f, ", {price} suggested"),
                    None => Ok(()),
                }
            }
            Self::ChangeTargetGroup { name, fields, deletes } => {
                write!(f, "change target group {name:?}: {}", fields.join(", "))?;
                if deletes.is_empty() { Ok(()) } else { write!(f, "; deletes the quotas of {}", deletes.join(", ")) }
            }
            Self::Launch { name } => write!(f, "launch target group {name:?}"),
        }
    }
}

/// Something about a study that people should know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// The target group, if it is about one.
    pub target_group: Option<String>,
    /// What it is.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target_group {
            Some(name) => write!(f, "{name:?}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What there is of a target group.
#[derive(Clone, Debug)]
pub(super) enum Found<V: Version> {
    Nothing,
    Draft(TargetGroup<V>, Audiences),
    Launched(TargetGroup<V>, Box<LaunchedChange>),
}

/// Whether a draft's audience is the study's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audiences {
    Same,
    Differ,
}

/// What will be done with one target group.
#[derive(Clone, Debug)]
pub(super) struct GroupPlan<V: Version> {
    pub(super) group: StudyGroup,
    pub(super) found: Found<V>,
    pub(super) steps: Vec<Step>,
}

/// What would be done. Nothing has been: [`apply`](Self::apply) does it.
#[derive(Clone, Debug)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan<V: Version> {
    pub(super) client: Client<V>,
    pub(super) study: Study,
    pub(super) project: Option<Project>,
    pub(super) project_step: Option<Step>,
    pub(super) groups: Vec<GroupPlan<V>>,
    pub(super) deletions_allowed: bool,
    warnings: Vec<Warning>,
}

impl<V: Version> Plan<V> {
    /// What would be done, in order. Empty if everything is as the study says.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.project_step.iter().chain(self.groups.iter().flat_map(|group| &group.steps))
    }

    /// What people should know before it is applied.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Agrees to what the steps delete: the quotas in field, with their counts, of questions that are no longer asked.
    pub fn allow_deletions(mut self) -> Self {
        self.deletions_allowed = true;
        self
    }

    /// Whether everything is as the study says.
    pub fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }
}

impl<V: Version> fmt::Display for Plan<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        self.steps().try_for_each(|step| writeln!(f, "+ {step}"))?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "! {warning}"))
    }
}

impl Study {
    /// Compares the study with what there is: reads, asks for feasibility, writes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with the study, before anything is sent; a project's or target group's name that occurs
    /// twice at Cint; a field that was to begin by now, of a target group that is not launched; or a call's.
    pub async fn plan<V: Version>(&self, client: &Client<V>) -> Result<Plan<V>, Error> {
        self.check()?;
        // A project that is not there yet has no id; every draft is checked all the same before anything is sent.
        let nowhere = client.project(crate::ProjectId::new("not-created-yet"));
        for group in &self.target_groups {
            group.draft(self, &nowhere)?.in_field().build_ahead().await?;
        }
        let mut named = Vec::new();
        let mut projects = client.projects().list().name(&*self.name).page_size(100).stream();
        while let Some(project) = projects.try_next().await? {
            if project.name.as_deref() == Some(self.name.trim()) {
                named.push(project.id);
            }
        }
        only_one("name", &self.name, named.len())?;
        let project = match named.pop() {
            Some(id) => Some(client.project(id).get().await?),
            None => None,
        };
        let mut plan = Plan {
            client: client.clone(),
            study: self.clone(),
            project_step: self.project_step(project.as_ref()),
            project,
            groups: Vec::new(),
            deletions_allowed: false,
            warnings: Vec::new(),
        };
        plan.groups = plan.compare_groups().await?;
        Ok(plan)
    }

    fn project_step(&self, project: Option<&Project>) -> Option<Step> {
        let Some(project) = project else { return Some(Step::CreateProject { name: self.name.clone() }) };
        let mut fields = Vec::new();
        if project.manager() != self.manager {
            fields.push("manager".to_owned());
        }
        if project.reference() != self.reference.as_ref().map(|reference| reference.as_str()) {
            fields.push("reference".to_owned());
        }
        (!fields.is_empty()).then(|| Step::ChangeProject { name: self.name.clone(), fields })
    }
}

/// A name that occurs twice names nothing.
fn only_one(field: &'static str, name: &str, found: usize) -> Result<(), Error> {
    let many = found > 1;
    Error::check(many.then(|| {
        FieldError::new(field, format!("{name:?} is the name of {found} items at Cint, expected at most one"))
    }))
}

impl<V: Version> Plan<V> {
    async fn compare_groups(&mut self) -> Result<Vec<GroupPlan<V>>, Error> {
        let scope = self.project.as_ref().map(|project| self.client.project(project));
        let mut there = Vec::new();
        if let Some(scope) = &scope {
            let mut groups = scope.target_groups().list().page_size(100).stream();
            while let Some(group) = groups.try_next().await? {
                there.push((group.name.clone().unwrap_or_default(), group.status.clone(), group.open(scope)));
            }
        }
        let mut plans = Vec::new();
        for group in self.study.target_groups.clone() {
            let named: Vec<_> = there.iter().filter(|(name, ..)| name == group.name.trim()).collect();
            only_one("target_group", &group.name, named.len())?;
            plans.push(match (named.first(), &scope) {
                (Some((_, Some(TargetGroupStatus::Draft), there)), _) => {
                    match self.compare_draft(&group, there).await {
                        // A launch that was under way has got there since it was listed.
                        Err(error) if error.kind() == ErrorKind::Moved => self.compare_launched(group, there).await?,
                        compared => compared?,
                    }
                }
                (Some((_, _, launched)), _) => self.compare_launched(group, launched).await?,
                (None, scope) => self.new_group(group, scope.as_ref()).await?,
            });
        }
        Ok(plans)
    }

    async fn new_group(&mut self, group: StudyGroup, scope: Option<&ProjectScope<V>>) -> Result<GroupPlan<V>, Error> {
        let name = group.name.clone();
        let nowhere = self.client.project(crate::ProjectId::new("not-created-yet"));
        let draft = group.draft(&self.study, scope.unwrap_or(&nowhere))?;
        let feasibility = match scope {
            None if V::FEASIBILITY_WANTS_PROJECT => None,
            _ => Some(draft.feasibility().await?),
        };
        match &feasibility {
            None => self.warn(&name, "feasibility can be asked once the project is there".to_owned()),
            Some(feasibility) => {
                if let Some(most) = feasibility.completes_max
                    && most < i64::from(group.completes_goal)
                {
                    let goal = group.completes_goal;
                    self.warn(&name, format!("{goal} completes are wanted, at most {most} can be had"));
                }
                if let (Some(given), Some(suggested)) = (&group.cost_per_interview, &feasibility.suggested_price)
                    && given.currency() == suggested.currency()
                    && given.value() < suggested.value()
                {
                    self.warn(&name, format!("{given} is offered for an interview, {suggested} suggested"));
                }
            }
        }
        let mut steps = vec![Step::CreateTargetGroup { name: name.clone(), feasibility }];
        if group.launch {
            steps.push(Step::Launch { name });
        }
        Ok(GroupPlan { group, found: Found::Nothing, steps })
    }

    async fn compare_draft(&mut self, group: &StudyGroup, draft: &TargetGroup<V>) -> Result<GroupPlan<V>, Error> {
        let Draft { settings: is, kept, .. } = draft.draft().await?;
        let shall = group.draft(&self.study, &self.client.project(&draft.project))?.build_ahead().await?;
        let mut fields = differences(&is, &shall);
        let there = V::audience_of(&kept);
        for goal in [is.completes_goal, shall.completes_goal] {
            shall.audience.shape_ahead(goal, V::DRAFTS_IN).await;
        }
        let same =
            |goal| !there.is_readable() || shall.audience.shape(goal, V::DRAFTS_IN).is_ok_and(|shape| shape == there);
        if !there.is_readable() {
            self.warn(
                &group.name,
                "audience cannot be compared: the draft does not say what its quotas consist of".to_owned(),
            );
        }
        // A goal alone changes the numbers of an audience, too, but then the audience itself is unchanged.
        if !same(is.completes_goal) {
            fields.push("audience");
        }
        let audiences = if same(shall.completes_goal) { Audiences::Same } else { Audiences::Differ };
        let mut steps = Vec::new();
        if !fields.is_empty() {
            let fields = fields.into_iter().map(str::to_owned).collect();
            steps.push(Step::ChangeTargetGroup { name: group.name.clone(), fields, deletes: Vec::new() });
        }
        if group.launch {
            steps.push(Step::Launch { name: group.name.clone() });
        }
        Ok(GroupPlan { group: group.clone(), found: Found::Draft(draft.clone(), audiences), steps })
    }

    async fn compare_launched(&mut self, group: StudyGroup, there: &TargetGroup<V>) -> Result<GroupPlan<V>, Error> {
        let change = LaunchedChange::find(there, &group, &self.study).await?;
        let name = group.name.clone();
        for obstacle in &change.obstacles {
            self.warn(&name, obstacle.clone());
        }
        if !group.launch {
            self.warn(&name, "it is launched already, and cannot be a draft again".to_owned());
        }
        let fields: Vec<String> = change.fields.iter().copied().map(str::to_owned).collect();
        let deletes = change.deletes.clone();
        let steps = match fields.is_empty() {
            true => Vec::new(),
            false => vec![Step::ChangeTargetGroup { name, fields, deletes }],
        };
        Ok(GroupPlan { group, found: Found::Launched(there.clone(), Box::new(change)), steps })
    }

    fn warn(&mut self, group: &str, message: String) {
        self.warnings.push(Warning { target_group: Some(group.to_owned()), message });
    }
}

/// Names the fields that differ.
macro_rules! differing {
    ($is:expr, $shall:expr, $($field:ident),+ $(,)?) => {
        [$(($is.$field != $shall.$field, stringify!($field))),+]
            .into_iter()
            .filter_map(|(differs, field)| differs.then_some(field))
            .collect()
    };
}
pub(super) use differing;

/// What is different about a draft. What the study leaves open is left as it is.
fn differences(is: &DraftSettings, shall: &DraftSettings) -> Vec<&'static str> {
    let shall = wanted(is, shall);
    differing!(
        is,
        shall,
        business_unit,
        manager,
        locale,
        completes_goal,
        length_of_interview,
        incidence_rate,
        fielding_period,
        cost_per_interview,
        live_url,
        test_url,
        collects_pii,
        industry,
        lockout,
        study_type,
        supply
    )
}

/// The wanted settings of a draft: the study's, and what there is where a study says nothing.
pub(super) fn wanted(is: &DraftSettings, shall: &DraftSettings) -> DraftSettings {
    // Cint keeps milliseconds.
    let same = |one: jiff::Timestamp, other: jiff::Timestamp| one.as_millisecond() == other.as_millisecond();
    let same_period = same(is.fielding_period.start(), shall.fielding_period.start())
        && same(is.fielding_period.end(), shall.fielding_period.end());
    DraftSettings {
        // A study cannot say these.
        name: is.name.clone(),
        cost_note: is.cost_note.clone(),
        client: is.client,
        reference: is.reference.clone(),
        assistant: is.assistant.clone(),
        // A study may leave these open.
        industry: shall.industry.clone().or_else(|| is.industry.clone()),
        lockout: shall.lockout.clone().or_else(|| is.lockout.clone()),
        study_type: shall.study_type.clone().or_else(|| is.study_type.clone()),
        test_url: shall.test_url.clone().or_else(|| shall.live_url.clone()),
        // Equal, though not the same to the letter.
        fielding_period: if same_period { is.fielding_period } else { shall.fielding_period },
        supply: if is.supply.same_as(&shall.supply) { is.supply.clone() } else { shall.supply.clone() },
        ..shall.clone()
    }
}
