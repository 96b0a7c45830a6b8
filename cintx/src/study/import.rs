//! A project that exists, read into a study: written as a file and planned again, it has nothing to do.

use serde::{Deserialize, Serialize};

use super::audience_read::{Parts, parts};
use super::drift::NotCompared;
use super::{Study, StudyAssistant, StudyAudience, StudyExclusions, StudyGroup, StudyLaunch, StudySupply};
use crate::audience::{Shape, Unit};
use crate::client::Client;
use crate::error::Error;
use crate::fielding::{FieldingAssistant, FieldingPeriod, RunStatus};
use crate::project::{Project, ProjectScope, name_problem};
use crate::supply::Supply;
use crate::target_group::{
    Draft, FillingStrategy, PricingModel, Progress, TargetGroup, TargetGroupDetails, TargetGroupStatus,
};
use crate::types::ids::{ProjectId, UserId};
use crate::types::{CustomerReference, SurveyUrl};
use crate::version::Version;
use crate::wire::study::ExclusionSet;

/// A project that was read into a study.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Imported {
    /// The study.
    pub study: Study,
    /// What could not be read, or no file can say. A target group of which something is missing that each must have,
    /// or that no plan would accept, such as one of two with the same name, is named with the field `target_group`, and
    /// is not in the study.
    pub left_out: Vec<NotCompared>,
}

impl Study {
    /// Reads a project with its target groups into a study that can be kept as a file. Writes nothing.
    ///
    /// Interlocked questions are read as their cells, quotas in field as completes. A draft whose field was to begin by
    /// now is read as it is; a plan asks for another beginning.
    ///
    /// ```no_run
    /// # use cintx::study::Study;
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     id: cintx::ProjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let imported = Study::import(&cint, id).await?;
    /// println!("{}", serde_json::to_string_pretty(&imported.study)?); // or as TOML
    /// imported.left_out.iter().for_each(|what| eprintln!("{what}"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_project_by_id")]
    #[doc(alias = "get_list_target_groups")]
    pub async fn import<V: Version>(client: &Client<V>, project: impl Into<ProjectId>) -> Result<Imported, Error> {
        let scope = client.project(project);
        let project: Project = scope.get().await?;
        let mut import = Import { manager: project.manager(), left_out: Vec::new() };
        let mut study = Self::new(project.name(), project.manager());
        study.reference = project.reference().and_then(|reference| reference.parse().ok());
        if study.reference.is_none() && project.reference().is_some() {
            let (field, reason) = ("reference".to_owned(), "is none that a file can say".to_owned());
            import.left_out.push(NotCompared { target_group: None, field, reason });
        }
        let mut names = Vec::new();
        let mut groups = scope.target_groups().list().page_size(100).stream();
        while let Some(group) = groups.try_next().await? {
            let name = group.name.clone().unwrap_or_default();
            let is_draft = group.status == Some(TargetGroupStatus::Draft);
            let there = group.open(&scope);
            let read = if is_draft { import.draft(&there).await? } else { import.launched(&there).await? };
            match read {
                Ok(read) => {
                    import.name_exclusion::<V>(&name, group.excluding);
                    study.target_groups.push(read);
                }
                Err(Missing(field)) => {
                    let reason = format!("its {field} is not shown, or none that a file can say");
                    import.left_out.push(NotCompared::new(&name, "target_group", reason));
                }
            }
            names.push(name);
        }
        import.keep_what_can_be_planned(&scope, &names, &mut study).await;
        Ok(Imported { study, left_out: import.left_out })
    }
}

/// A field that every target group of a study has, and that could not be read.
struct Missing(&'static str);

struct Import {
    manager: UserId,
    left_out: Vec<NotCompared>,
}

/// What cannot be told of a target group in field.
const NOT_SHOWN_IN_FIELD: [(&str, &str); 3] = [
    ("audience.control", "the API does not list control quotas in field"),
    ("audience.template", "the API does not say in field what comes from a template"),
    ("re_entry", "the API does not say in field whether respondents may enter again"),
];

impl Import {
    fn leave_out(&mut self, group: &str, field: &str, reason: &str) {
        self.left_out.push(NotCompared::new(group, field, reason));
    }

    async fn draft<V: Version>(&mut self, there: &TargetGroup<V>) -> Result<Result<StudyGroup, Missing>, Error> {
        let draft = there.draft().await?;
        let re_entry = draft.re_entry();
        let Draft { settings, kept, .. } = draft;
        let shape = V::audience_of(&kept);
        let exclusions = V::exclusion_set(there, &ExclusionSet::all()).await?;
        let name = settings.name.clone();
        let live_url = said(settings.live_url.as_ref());
        if live_url.is_none() && settings.live_url.is_some() {
            return Ok(Err(Missing("live_url")));
        }
        if !shape.is_readable() {
            return Ok(Err(Missing("audience")));
        }
        let period = settings.fielding_period;
        let audience = StudyAudience::read(&shape, kept.template(), parts::<V>(&kept), settings.completes_goal);
        let group = StudyGroup {
            business_unit: settings.business_unit,
            manager: self.manager_of(settings.manager),
            locale: settings.locale,
            completes_goal: settings.completes_goal,
            length_of_interview: settings.length_of_interview,
            incidence_rate: settings.incidence_rate,
            fielding_period: FieldingPeriod { start: period.start(), end: period.end() },
            cost_per_interview: settings.cost_per_interview,
            cost_note: settings.cost_note,
            client: settings.client,
            test_url: self.test_url(&name, settings.test_url.as_ref(), live_url.as_ref()),
            live_url,
            collects_pii: settings.collects_pii,
            industry: settings.industry,
            lockout: settings.lockout,
            study_type: settings.study_type,
            reference: self.reference(&name, settings.reference.as_deref()),
            launch: StudyLaunch::Draft,
            supply: self.supply(&name, &settings.supply),
            assistant: Some(self.assistant(&name, &settings.assistant)),
            filling_strategy: None,
            exclusions: self.exclusions::<V>(&name, &exclusions),
            audience,
            name,
        };
        if re_entry.is_some() {
            self.leave_out(&group.name, "re_entry", "no file says whether respondents may enter again");
        }
        if kept.excludes_by_list() {
            self.leave_out(&group.name, "exclusions", "no file lists respondents who are kept out");
        }
        self.name_what_is_made_up(&group);
        Ok(Ok(group))
    }

    async fn launched<V: Version>(&mut self, there: &TargetGroup<V>) -> Result<Result<StudyGroup, Missing>, Error> {
        let is = there.details().await?;
        let run = there.fielding_run().await?;
        let shown = InField {
            is_scheduled: run.as_ref().is_some_and(|run| *run.status() == RunStatus::Scheduled),
            period: run.map(|run| run.dates()),
            overview: there.overview().await?,
            supply: there.supply().await?,
            assistant: there.assistant().await?,
            exclusions: V::exclusion_set(there, &ExclusionSet::all()).await?,
            shape: Shape::of_tables(&there.quotas().read().await?),
        };
        Ok(self.of_launched::<V>(is, shown))
    }

    fn of_launched<V: Version>(&mut self, is: TargetGroupDetails, shown: InField) -> Result<StudyGroup, Missing> {
        let settings = is.settings;
        let name = settings.name.clone();
        let live_url = said(Some(&settings.live_url)).ok_or(Missing("live_url"))?;
        let goal = is.completes_goal.and_then(|goal| u32::try_from(goal).ok()).ok_or(Missing("completes_goal"))?;
        if !shown.shape.is_readable() {
            return Err(Missing("audience"));
        }
        let by_card = shown.overview.pricing_model == Some(PricingModel::RateCard);
        let group = StudyGroup {
            business_unit: is.business_unit.ok_or(Missing("business_unit"))?,
            manager: self.manager_of(settings.manager),
            locale: is.locale.ok_or(Missing("locale"))?,
            completes_goal: goal,
            length_of_interview: settings.length_of_interview,
            incidence_rate: settings.incidence_rate,
            fielding_period: shown.period.ok_or(Missing("fielding_period"))?,
            cost_per_interview: shown.overview.current_cost_per_interview.filter(|_| !by_card),
            cost_note: settings.cost_note,
            client: is.client,
            test_url: self.test_url(&name, settings.test_url.as_ref(), Some(&live_url)),
            live_url: Some(live_url),
            collects_pii: is.collects_pii.unwrap_or_default(),
            industry: is.industry,
            lockout: settings.lockout,
            study_type: is.study_type,
            reference: self.reference(&name, settings.reference.as_deref()),
            launch: if shown.is_scheduled { StudyLaunch::AtStart } else { StudyLaunch::Now },
            supply: self.supply(&name, &shown.supply),
            assistant: Some(self.assistant(&name, &shown.assistant)),
            filling_strategy: self.strategy(&name, shown.overview.progress),
            exclusions: self.exclusions::<V>(&name, &shown.exclusions),
            audience: in_field::<V>(&shown.shape, goal).ok_or(Missing("audience"))?,
            name,
        };
        if is.collects_pii.is_none() {
            self.leave_out(&group.name, "collects_pii", "the API does not say it");
        }
        for (field, reason) in NOT_SHOWN_IN_FIELD.iter().filter(|_| V::EXCLUDES_ACTIVITY) {
            self.leave_out(&group.name, field, reason);
        }
        self.name_what_is_made_up(&group);
        Ok(group)
    }

    /// The study's manager goes without saying.
    fn manager_of(&self, manager: UserId) -> Option<UserId> {
        Some(manager).filter(|manager| *manager != self.manager)
    }

    fn test_url(&mut self, name: &str, url: Option<&SurveyUrl>, live_url: Option<&SurveyUrl>) -> Option<SurveyUrl> {
        let url = url.filter(|url| Some(*url) != live_url)?;
        let said = said(Some(url));
        if said.is_none() {
            self.leave_out(name, "test_url", "is none that a file can say");
        }
        said
    }

    fn reference(&mut self, name: &str, reference: Option<&str>) -> Option<CustomerReference> {
        let reference = reference?;
        let said = reference.parse().ok();
        if said.is_none() {
            self.leave_out(name, "reference", "is none that a file can say");
        }
        said
    }

    fn supply(&mut self, name: &str, is: &Supply) -> StudySupply {
        if !is.unread.is_empty() {
            self.leave_out(name, "supply", "has something that this release does not know");
        }
        StudySupply::from(is)
    }

    fn assistant(&mut self, name: &str, is: &FieldingAssistant) -> StudyAssistant {
        let mut unknown = Vec::new();
        let assistant = StudyAssistant::read(is, &mut unknown);
        unknown.into_iter().for_each(|field| self.leave_out(name, field, "is none that this release knows"));
        assistant
    }

    fn exclusions<V: Version>(&mut self, name: &str, is: &ExclusionSet) -> Option<StudyExclusions> {
        let mut unknown = Vec::new();
        let exclusions = StudyExclusions::read(is, &mut unknown);
        unknown.into_iter().for_each(|field| self.leave_out(name, field, "has one that this release does not know"));
        V::EXCLUDES_PROJECT.then_some(exclusions)
    }

    fn strategy(&mut self, name: &str, progress: Option<Progress>) -> Option<FillingStrategy> {
        let strategy = progress?.filling_strategy?;
        if strategy.problem().is_some() {
            self.leave_out(name, "filling_strategy", "is none that this release knows");
            return None;
        }
        Some(strategy)
    }

    /// A version may take it of a new draft, and change it nowhere: no file of it can say it.
    fn name_exclusion<V: Version>(&mut self, name: &str, excludes_project: Option<bool>) {
        if let Some(excludes) = excludes_project.filter(|_| !V::EXCLUDES_PROJECT) {
            let reason = format!("is {excludes}, which no file of {} can say", V::DATE);
            self.leave_out(name, "exclusions.project", &reason);
        }
    }

    /// Leaves out by name what every plan of the study would refuse.
    async fn keep_what_can_be_planned<V: Version>(
        &mut self,
        scope: &ProjectScope<V>,
        names: &[String],
        study: &mut Study,
    ) {
        for group in std::mem::take(&mut study.target_groups) {
            let namesakes = names.iter().filter(|name| name.trim() == group.name.trim()).count();
            let problem = match group.problem(study, scope).await {
                _ if namesakes > 1 => Some(format!("{namesakes} have its name, by which a study knows it")),
                problem => problem.map(|problem| format!("no plan would accept it: {problem}")),
            };
            match problem {
                Some(reason) => self.leave_out(&group.name, "target_group", &reason),
                None => study.target_groups.push(group),
            }
        }
        if let Some(problem) = name_problem(&study.name) {
            let (field, reason) = (problem.field().to_owned(), problem.reason().to_owned());
            self.left_out.push(NotCompared { target_group: None, field, reason });
        }
    }

    fn name_what_is_made_up(&mut self, group: &StudyGroup) {
        if group.audience.has_names() {
            let reason = "the names of what is counted together are made up";
            self.leave_out(&group.name, "audience", reason);
        }
    }
}

/// What is shown of a target group in field, beside its details.
struct InField {
    is_scheduled: bool,
    period: Option<FieldingPeriod>,
    overview: crate::target_group::TargetGroupOverview,
    supply: Supply,
    assistant: FieldingAssistant,
    exclusions: ExclusionSet,
    shape: Shape,
}

/// An address as a file may have it.
fn said(url: Option<&SurveyUrl>) -> Option<SurveyUrl> {
    url?.as_str().parse().ok()
}

/// The audience in field: in completes, where they add up to the goal. What the API has rounded from percentages may
/// not, and is said as these.
fn in_field<V: Version>(shape: &Shape, goal: u32) -> Option<StudyAudience> {
    let percent = if V::DRAFTS_IN == Unit::Percent { Parts::Percent } else { Parts::Hundredths };
    [Parts::Completes, percent].into_iter().find_map(|parts| {
        let read = StudyAudience::read(&parts.of_completes(shape, goal), None, parts, goal);
        let mut problems = Vec::new();
        let rules = crate::audience::rules::problems(&read.audience(&mut problems), Some(goal));
        (rules.is_empty() && problems.is_empty()).then_some(read)
    })
}
