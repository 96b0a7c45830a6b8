//! A plan: the difference between a study and what exists.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use super::audience_read::parts;
use super::drift::{Drift, NotCompared, setting};
use super::launched::LaunchedChange;
use super::{Study, StudyAudience, StudyExclusions, StudyGroup, StudyLaunch, assistant, exclusions};
use crate::client::{CallOptions, Client};
use crate::error::{Error, ErrorKind, FieldError};
use crate::project::{Project, ProjectScope};
use crate::quota::QuotaWarning;
use crate::supply::Supply;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{
    Draft, DraftSettings, FillingStrategy, KeptDraft, TargetGroup, TargetGroupDraft, TargetGroupStatus,
};
use crate::types::ids::ProjectId;
use crate::version::Version;
use crate::wire::moment::kept_moment;
use crate::wire::study::ExclusionSet;

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
    /// It is changed who is kept out of a target group.
    SetExclusions {
        /// The name of the target group.
        name: String,
        /// What is changed.
        fields: Vec<String>,
    },
    /// What counts toward the goal of a target group is said, once it is launched or scheduled.
    SetFillingStrategy {
        /// The name of the target group.
        name: String,
        /// What counts.
        strategy: FillingStrategy,
    },
    /// A target group is launched, or scheduled.
    Launch {
        /// The name of the target group.
        name: String,
        /// When its field begins; `None` for at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<Timestamp>,
    },
}

impl Step {
    /// The target group that it is about; `None` if it is about the project.
    pub fn target_group(&self) -> Option<&str> {
        match self {
            Self::CreateProject { .. } | Self::ChangeProject { .. } => None,
            Self::CreateTargetGroup { name, .. }
            | Self::ChangeTargetGroup { name, .. }
            | Self::SetExclusions { name, .. }
            | Self::SetFillingStrategy { name, .. }
            | Self::Launch { name, .. } => Some(name),
        }
    }
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
            Self::SetExclusions { name, fields } => {
                write!(f, "change who is kept out of target group {name:?}: {}", fields.join(", "))
            }
            Self::SetFillingStrategy { name, strategy } => {
                write!(f, "let {strategy} count toward the goal of target group {name:?}")
            }
            Self::Launch { name, start: None } => write!(f, "launch target group {name:?}"),
            Self::Launch { name, start: Some(start) } => {
                write!(f, "schedule target group {name:?}: field begins at {start}")
            }
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
    pub(super) supply: Supply,
    pub(super) found: Found<V>,
    /// Who is kept out, and who desired be; nothing if that is not to be changed.
    pub(super) exclusions: Option<(ExclusionSet, ExclusionSet)>,
    pub(super) steps: Vec<Step>,
}

/// A field that is launched at once and was to begin so much later is told.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// How many target groups are applied at once if nothing else is said.
const DEFAULT_CONCURRENCY: usize = 4;

/// What would be done. Nothing has been: [`apply`](Self::apply) does it.
///
/// `Display` is for people; as JSON it has `changes`, `steps`, `warnings`, `drift` and `not_compared`:
///
/// ```no_run
/// # use cintx::study::Study;
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, study: Study) -> Result<u8, Box<dyn std::error::Error>> {
/// let plan = study.plan(&cint).await?;
/// println!("{}", serde_json::to_string_pretty(&plan)?);
/// # Ok(plan.exit_code())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan<V: Version> {
    pub(super) client: Client<V>,
    pub(super) study: Study,
    pub(super) project: Option<Project>,
    pub(super) project_step: Option<Step>,
    pub(super) groups: Vec<GroupPlan<V>>,
    pub(super) deletions_allowed: bool,
    pub(super) concurrency: usize,
    /// Whether it, or a clone of it, was applied before.
    pub(super) was_applied: Arc<AtomicBool>,
    warnings: Vec<Warning>,
    drift: Vec<Drift>,
    not_compared: Vec<NotCompared>,
}

impl<V: Version> Plan<V> {
    /// Other options for what applies it: retries, time limits, headers. They go before the client's. Keys follow from
    /// the study.
    pub fn with(mut self, options: CallOptions) -> Self {
        let options = options.of_many();
        self.client = self.client.with(options.clone());
        for plan in &mut self.groups {
            if let Found::Draft(group, _) | Found::Launched(group, _) = &mut plan.found {
                *group = group.with(options.clone());
            }
        }
        self
    }

    /// What would be done, in order. Empty if everything is as the study says.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.project_step.iter().chain(self.groups.iter().flat_map(|group| &group.steps))
    }

    /// What people should know before it is applied.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Where what Cint has is not what the study says: what the steps change, what can no longer be changed, and what
    /// is there at Cint alone.
    pub fn drift(&self) -> &[Drift] {
        &self.drift
    }

    /// What the study says and the API does not show, so that nobody can tell whether it differs.
    pub fn not_compared(&self) -> &[NotCompared] {
        &self.not_compared
    }

    /// Agrees to what the steps delete: the quotas in field, with their counts, of questions that are no longer asked.
    pub fn allow_deletions(mut self) -> Self {
        self.deletions_allowed = true;
        self
    }

    /// Applies so many target groups at once; 4 if nothing is said, one after the other for 1. The steps of one target
    /// group keep their order.
    pub fn concurrency(mut self, target_groups: usize) -> Self {
        self.concurrency = target_groups.max(1);
        self
    }

    /// Whether everything is as the study says.
    pub fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }

    /// Whether there is something to do.
    pub fn has_changes(&self) -> bool {
        !self.is_empty()
    }

    /// What a program may end with, so that scripts see what a plan says: 0 if there is nothing to do, 2 if there is.
    /// 1 is left to failures.
    pub fn exit_code(&self) -> u8 {
        if self.has_changes() { 2 } else { 0 }
    }
}

impl<V: Version> Serialize for Plan<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            changes: bool,
            steps: Vec<&'a Step>,
            warnings: &'a [Warning],
            drift: &'a [Drift],
            not_compared: &'a [NotCompared],
        }
        let steps = self.steps().collect();
        let Self { warnings, drift, not_compared, .. } = self;
        Shown { changes: self.has_changes(), steps, warnings, drift, not_compared }.serialize(serializer)
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
        self.check::<V>()?;
        // A project that is not there yet has no id; every draft is checked all the same before anything is sent.
        let nowhere = client.project(crate::ProjectId::new("not-created-yet"));
        for group in &self.target_groups {
            let supply = group.supply.known().unwrap_or_else(Supply::open_exchange);
            group.draft_in_field(self, &nowhere, &supply)?.build_ahead().await?;
        }
        let project = match self.project_there(client).await? {
            Some(id) => Some(client.project(id).get().await?),
            None => None,
        };
        let mut plan = Plan {
            client: client.clone(),
            study: self.clone(),
            project_step: None,
            project,
            groups: Vec::new(),
            deletions_allowed: false,
            concurrency: DEFAULT_CONCURRENCY,
            was_applied: Arc::default(),
            warnings: Vec::new(),
            drift: Vec::new(),
            not_compared: Vec::new(),
        };
        plan.compare_project();
        plan.groups = plan.compare_groups().await?;
        Ok(plan)
    }

    /// The project that the study is about, if it is there.
    pub(super) async fn project_there<V: Version>(&self, client: &Client<V>) -> Result<Option<ProjectId>, Error> {
        let mut named = Vec::new();
        let mut projects = client.projects().list().name(&*self.name).page_size(100).stream();
        while let Some(project) = projects.try_next().await? {
            if project.name.as_deref() == Some(self.name.trim()) {
                named.push(project.id);
            }
        }
        only_one("name", &self.name, named.len())?;
        Ok(named.pop())
    }
}

/// A name that occurs twice names nothing.
fn only_one(field: &'static str, name: &str, found: usize) -> Result<(), Error> {
    let many = found > 1;
    Error::check(many.then(|| {
        FieldError::new(field, format!("{name:?} is the name of {found} items at Cint, expected at most one"))
    }))
}

/// A target group that is there: its name, its status, its handle.
pub(super) type There<V> = (String, Option<TargetGroupStatus>, TargetGroup<V>);

impl<V: Version> Plan<V> {
    fn compare_project(&mut self) {
        let name = self.study.name.clone();
        let Some(project) = &self.project else {
            self.drift.push(Drift::new(None, "project", &name, &()));
            self.project_step = Some(Step::CreateProject { name });
            return;
        };
        if project.manager() != self.study.manager {
            self.drift.push(Drift::new(None, "manager", &self.study.manager, &project.manager()));
        }
        let reference = self.study.reference.as_ref().map(|reference| reference.as_str());
        if project.reference() != reference {
            self.drift.push(Drift::new(None, "reference", &reference, &project.reference()));
        }
        let fields: Vec<String> = self.drift.iter().map(|drift| drift.field.clone()).collect();
        self.project_step = (!fields.is_empty()).then_some(Step::ChangeProject { name, fields });
    }

    async fn compare_groups(&mut self) -> Result<Vec<GroupPlan<V>>, Error> {
        let scope = self.project.as_ref().map(|project| self.client.project(project));
        let there = match &scope {
            Some(scope) => self.groups_of(scope).await?,
            None => Vec::new(),
        };
        let mut plans = Vec::new();
        for group in self.study.target_groups.clone() {
            let supply = group.supply.resolved(&self.client, &group.locale).await?;
            plans.push(self.compare_group(group, supply, &there, scope.as_ref()).await?);
        }
        let known = |name: &str| self.study.target_groups.iter().any(|group| group.name.trim() == name);
        let others = there.iter().filter(|(name, ..)| !known(name));
        let others: Vec<_> = others.map(|(name, ..)| Drift::new(Some(name), "target_group", &(), name)).collect();
        self.drift.extend(others);
        Ok(plans)
    }

    /// The target groups of the project.
    pub(super) async fn groups_of(&self, scope: &ProjectScope<V>) -> Result<Vec<There<V>>, Error> {
        let mut there = Vec::new();
        let mut groups = scope.target_groups().list().page_size(100).stream();
        while let Some(group) = groups.try_next().await? {
            there.push((group.name.clone().unwrap_or_default(), group.status.clone(), group.open(scope)));
        }
        Ok(there)
    }

    /// What is to be done with one target group, among those that are there.
    pub(super) async fn compare_group(
        &mut self,
        group: StudyGroup,
        supply: Supply,
        there: &[There<V>],
        scope: Option<&ProjectScope<V>>,
    ) -> Result<GroupPlan<V>, Error> {
        let named: Vec<_> = there.iter().filter(|(name, ..)| name == group.name.trim()).collect();
        only_one("target_group", &group.name, named.len())?;
        let mut plan = match named.first() {
            Some((_, Some(TargetGroupStatus::Draft), there)) => {
                match self.compare_draft(&group, there, &supply).await {
                    // A launch that was under way has got there since it was listed.
                    Err(error) if error.kind() == ErrorKind::Moved => {
                        self.compare_launched(group, there, supply).await?
                    }
                    compared => compared?,
                }
            }
            Some((_, _, launched)) => self.compare_launched(group, launched, supply).await?,
            None => self.new_group(group, scope, supply).await?,
        };
        self.compare_exclusions(&mut plan).await?;
        Ok(plan)
    }

    async fn new_group(
        &mut self,
        group: StudyGroup,
        scope: Option<&ProjectScope<V>>,
        supply: Supply,
    ) -> Result<GroupPlan<V>, Error> {
        let name = group.name.clone();
        let nowhere = self.client.project(crate::ProjectId::new("not-created-yet"));
        let draft = group.draft(&self.study, scope.unwrap_or(&nowhere), &supply)?.solved().await;
        let feasibility = match scope {
            None if V::FEASIBILITY_WANTS_PROJECT => {
                self.warn(&name, "feasibility can be asked once the project is there".to_owned());
                None
            }
            _ => match draft.feasibility().await {
                Ok(feasibility) => Some(feasibility),
                // Whoever buys may do without an estimate; what else is wrong is said by the other calls.
                Err(error) => {
                    self.warn(&name, format!("feasibility cannot be had: {error}"));
                    None
                }
            },
        };
        if let Some(feasibility) = &feasibility {
            self.warn_of(&group, feasibility);
        }
        let draft = draft.build()?;
        self.warn_of_quotas(&name, &draft.audience.warnings_in(draft.settings.completes_goal, V::DRAFTS_IN));
        self.drift.push(Drift::new(Some(&name), "target_group", &name, &()));
        let mut steps = vec![Step::CreateTargetGroup { name: name.clone(), feasibility }];
        self.warn_of_start(&group);
        steps.extend(group.launch_step());
        steps.extend(self.strategy_step(&group));
        Ok(GroupPlan { group, supply, found: Found::Nothing, exclusions: None, steps })
    }

    fn warn_of(&mut self, group: &StudyGroup, feasibility: &Feasibility) {
        let name = &group.name;
        if let Some(most) = feasibility.completes_max
            && most < i64::from(group.completes_goal)
        {
            let goal = group.completes_goal;
            self.warn(name, format!("{goal} completes are wanted, at most {most} can be had"));
        }
        for target in feasibility.unfillable() {
            let (label, wanted) = (target.label(), target.wanted.unwrap_or_default());
            let most = target.completes_max.unwrap_or_default();
            self.warn(name, format!("{wanted} completes of {label} are wanted, at most {most} can be had"));
        }
        if let (Some(given), Some(suggested)) = (&group.cost_per_interview, &feasibility.suggested_price)
            && given.currency() == suggested.currency()
            && given.value() < suggested.value()
        {
            self.warn(name, format!("{given} is offered for an interview, {suggested} suggested"));
        }
    }

    async fn compare_draft(
        &mut self,
        group: &StudyGroup,
        draft: &TargetGroup<V>,
        supply: &Supply,
    ) -> Result<GroupPlan<V>, Error> {
        let Draft { settings: is, kept, .. } = draft.draft().await?;
        let desired = group.draft(&self.study, &self.client.project(&draft.project), supply)?.build_ahead().await?;
        let wanted = wanted(&is, &desired.settings, group, self.client.now());
        let mut fields = differences(&is, &wanted);
        for field in &fields {
            let (file, cint) = (setting(&wanted, field), setting(&is, field));
            self.drift.push(Drift::new(Some(&group.name), field, &file, &cint));
        }
        let (is_same, audiences) = self.compare_audience(group, &is, &kept, &desired).await;
        // A goal alone changes the numbers of an audience, too, but then the audience itself is unchanged.
        if !is_same {
            fields.push("audience");
        }
        let mut steps = Vec::new();
        if audiences == Audiences::Differ {
            self.warn_of_quotas(
                &group.name,
                &desired.audience.warnings_in(desired.settings.completes_goal, V::DRAFTS_IN),
            );
        }
        if !fields.is_empty() {
            let fields = fields.into_iter().map(str::to_owned).collect();
            steps.push(Step::ChangeTargetGroup { name: group.name.clone(), fields, deletes: Vec::new() });
        }
        if let Some(step) = group.launch_step() {
            self.drift.push(Drift::new(Some(&group.name), "launch", &group.launch, &StudyLaunch::Draft));
            self.warn_of_start(group);
            steps.push(step);
        }
        steps.extend(self.strategy_step(group));
        let found = Found::Draft(draft.clone(), audiences);
        Ok(GroupPlan { group: group.clone(), supply: supply.clone(), found, exclusions: None, steps })
    }

    /// Whether a draft's audience is the study's for the goal that it has, and for the one that it gets.
    async fn compare_audience(
        &mut self,
        group: &StudyGroup,
        is: &DraftSettings,
        kept: &KeptDraft,
        desired: &TargetGroupDraft,
    ) -> (bool, Audiences) {
        let there = V::audience_of(kept);
        for goal in [is.completes_goal, desired.settings.completes_goal] {
            desired.audience.draft_shape_ahead(goal, V::DRAFTS_IN).await;
        }
        let template = group.audience.template.as_ref().map(|id| id.as_str());
        if !there.is_readable() {
            let reason = "the draft does not say what its quotas consist of";
            self.warn(&group.name, format!("audience cannot be compared: {reason}"));
            self.not_compared.push(NotCompared::new(&group.name, "audience", reason));
            return (true, Audiences::Same);
        }
        let same = |goal| match desired.audience.draft_shape(goal, V::DRAFTS_IN) {
            // The profiles of a template are shown or not; those beside it are.
            Ok(shape) if template.is_some() => kept.template() == template && there.has_all_of(&shape),
            shape => kept.template().is_none() && shape.is_ok_and(|shape| shape == there),
        };
        let is_same = same(is.completes_goal);
        if !is_same {
            let cint = StudyAudience::read(&there, kept.template(), parts::<V>(kept), is.completes_goal);
            self.drift.push(Drift::new(Some(&group.name), "audience", &group.audience, &cint));
        }
        (is_same, if same(desired.settings.completes_goal) { Audiences::Same } else { Audiences::Differ })
    }

    async fn compare_launched(
        &mut self,
        group: StudyGroup,
        there: &TargetGroup<V>,
        supply: Supply,
    ) -> Result<GroupPlan<V>, Error> {
        let mut change = LaunchedChange::find(there, &group, &self.study, &supply).await?;
        let name = group.name.clone();
        self.drift.append(&mut change.drift);
        self.not_compared.append(&mut change.not_compared);
        for text in change.obstacles.iter().chain(&change.side_effects) {
            self.warn(&name, text.clone());
        }
        self.warn_of_quotas(&name, &change.warnings);
        let launched = if change.is_scheduled { StudyLaunch::AtStart } else { StudyLaunch::Now };
        if group.launch == StudyLaunch::Draft {
            self.drift.push(Drift::new(Some(&name), "launch", &group.launch, &launched));
            self.warn(&name, "it is launched already, and cannot be a draft again".to_owned());
        }
        let fields: Vec<String> = change.fields.iter().copied().map(str::to_owned).collect();
        let deletes = change.deletes.clone();
        let steps = match fields.is_empty() {
            true => Vec::new(),
            false => vec![Step::ChangeTargetGroup { name, fields, deletes }],
        };
        let found = Found::Launched(there.clone(), Box::new(change));
        Ok(GroupPlan { group, supply, found, exclusions: None, steps })
    }

    /// Who is kept out is set before a launch: nobody is let in by mistake.
    async fn compare_exclusions(&mut self, plan: &mut GroupPlan<V>) -> Result<(), Error> {
        let Some(wanted) = &plan.group.exclusions else { return Ok(()) };
        let desired = wanted.set::<V>(&mut Vec::new());
        let is = match &plan.found {
            Found::Nothing => ExclusionSet::default(),
            Found::Draft(group, _) | Found::Launched(group, _) => V::exclusion_set(group, &desired).await?,
        };
        let fields = exclusions::differing(&is, &desired);
        if fields.is_empty() {
            return Ok(());
        }
        let name = plan.group.name.clone();
        if !matches!(plan.found, Found::Nothing) {
            let read = StudyExclusions::read(&is, &mut Vec::new());
            self.drift.push(Drift::new(Some(&name), "exclusions", wanted, &read));
        }
        let fields = fields.into_iter().map(str::to_owned).collect();
        let launch = plan.steps.iter().position(|step| matches!(step, Step::Launch { .. }));
        plan.steps.insert(launch.unwrap_or(plan.steps.len()), Step::SetExclusions { name, fields });
        plan.exclusions = Some((is, desired));
        Ok(())
    }

    /// What counts toward the goal can be said in field alone: right after a launch.
    fn strategy_step(&mut self, group: &StudyGroup) -> Option<Step> {
        let strategy = group.filling_strategy.clone()?;
        if group.launch == StudyLaunch::Draft {
            let reason = "the API takes it once the target group is launched";
            self.not_compared.push(NotCompared::new(&group.name, "filling_strategy", reason));
            return None;
        }
        Some(Step::SetFillingStrategy { name: group.name.clone(), strategy })
    }

    /// Field that begins at once may begin much earlier than was meant.
    fn warn_of_start(&mut self, group: &StudyGroup) {
        let start = group.fielding_period.start;
        if group.launch == StudyLaunch::Now && start.duration_since(self.client.now()) > FAR_AHEAD {
            let text = format!("field begins at once, not at {start}: launch \"at-start\" schedules it");
            self.warn(&group.name, text);
        }
    }

    /// What whole numbers do to quotas that a step sends.
    fn warn_of_quotas(&mut self, group: &str, warnings: &[QuotaWarning]) {
        warnings.iter().for_each(|warning| self.warn(group, warning.to_string()));
    }

    fn warn(&mut self, group: &str, message: String) {
        self.warnings.push(Warning { target_group: Some(group.to_owned()), message });
    }
}

/// Names the fields that differ.
macro_rules! differing {
    ($is:expr, $desired:expr, $($field:ident),+ $(,)?) => {
        [$(($is.$field != $desired.$field, stringify!($field))),+]
            .into_iter()
            .filter_map(|(differs, field)| differs.then_some(field))
            .collect()
    };
}
pub(super) use differing;

/// What is different about a draft.
fn differences(is: &DraftSettings, wanted: &DraftSettings) -> Vec<&'static str> {
    differing!(
        is,
        wanted,
        business_unit,
        manager,
        locale,
        completes_goal,
        length_of_interview,
        incidence_rate,
        fielding_period,
        cost_per_interview,
        cost_note,
        client,
        live_url,
        test_url,
        collects_pii,
        industry,
        lockout,
        study_type,
        reference,
        supply,
        assistant
    )
}

/// The wanted settings of a draft: the study's, and what there is where a study says nothing.
pub(super) fn wanted(is: &DraftSettings, desired: &DraftSettings, group: &StudyGroup, now: Timestamp) -> DraftSettings {
    let same = |one: Timestamp, other: Timestamp| kept_moment(one) == kept_moment(other);
    let same_period = same(is.fielding_period.start(), desired.fielding_period.start())
        && same(is.fielding_period.end(), desired.fielding_period.end());
    // What could not be read is there all the same: what would delete it is refused when it is written.
    let supply = Supply { unread: is.supply.unread.clone(), ..desired.supply.clone() };
    DraftSettings {
        name: is.name.clone(),
        // A study may leave these open.
        cost_note: desired.cost_note.clone().or_else(|| is.cost_note.clone()),
        client: desired.client.or(is.client),
        reference: desired.reference.clone().or_else(|| is.reference.clone()),
        assistant: match &group.assistant {
            Some(_) => assistant::wanted(&is.assistant, &desired.assistant, now),
            None => is.assistant.clone(),
        },
        industry: desired.industry.clone().or_else(|| is.industry.clone()),
        lockout: desired.lockout.clone().or_else(|| is.lockout.clone()),
        study_type: desired.study_type.clone().or_else(|| is.study_type.clone()),
        live_url: desired.live_url.clone().or_else(|| is.live_url.clone()),
        test_url: desired.test_url.as_ref().or(desired.live_url.as_ref()).or(is.test_url.as_ref()).cloned(),
        // Equal, though not the same to the letter.
        fielding_period: if same_period { is.fielding_period } else { desired.fielding_period },
        supply: if is.supply.same_as(&supply) { is.supply.clone() } else { supply },
        ..desired.clone()
    }
}
