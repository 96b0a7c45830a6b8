//! Applies a plan. After an interruption at any step, the next plan finds what was done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::launched::check_agreed;
use super::plan::{Audiences, Found, GroupPlan, There, wanted};
use super::{Plan, Step};
use crate::client::CallOptions;
use crate::error::{Error, ErrorKind, FieldError, Outcome, Wrote};
use crate::project::{ProjectScope, ProjectSettings};
use crate::target_group::{DraftSettings, FillingStrategy, TargetGroup, TargetGroupStatus};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::version::Version;

/// What there is after a plan was applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// The project.
    pub project: ProjectId,
    /// The target groups by name, in the study's order.
    pub target_groups: Vec<(String, TargetGroupId)>,
}

/// What became of each target group.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApplyReport {
    /// The project.
    pub project: ProjectId,
    /// The target groups by name, in the study's order: the id of each, or why it is not as the study says.
    pub target_groups: Vec<(String, Result<TargetGroupId, Error>)>,
    /// Whether something was done, of the project or of a target group.
    wrote: Wrote,
}

impl ApplyReport {
    /// The target groups that are not as the study says, each with its error.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.target_groups.iter().filter_map(|(name, result)| Some((name.as_str(), result.as_ref().err()?)))
    }

    /// What there is, if nothing failed.
    ///
    /// # Errors
    /// The first failure, in the study's order. Its outcome is that of the whole: `Applied`, if something was done.
    pub fn into_applied(self) -> Result<Applied, Error> {
        let groups = self.target_groups.into_iter().map(|(name, result)| Ok((name, self.wrote.after(result)?)));
        Ok(Applied { project: self.project, target_groups: groups.collect::<Result<_, Error>>()? })
    }
}

impl<V: Version> Plan<V> {
    /// Does what is to be done, and tells each step when it is done: first the project, then the target groups, a few
    /// [at once](Self::concurrency).
    ///
    /// It can be interrupted anywhere: plan and apply again, or apply this plan again, and it goes on. The project and
    /// launches carry idempotency keys that follow from the study, so that they are made once. Both the project and the
    /// target groups that a plan makes are looked up by name right before, and so are drafts that it changes: what is
    /// there by then, or is a draft no more, is compared with the study and changed, with the steps that this takes. So
    /// is everything when the plan is applied again. A target group whose answer is lost is looked up by its reference.
    ///
    /// # Errors
    /// If a step deletes quotas in field and [`allow_deletions`](Self::allow_deletions) was not said: then nothing is
    /// done. Quotas that the plan does not list, since they came into field later, are never deleted: they are an error
    /// of their target group. A call that fails, or a launch's [`job_failure`](Error::job_failure): what was done
    /// before stays done, the other target groups go on, and the first failure in the study's order is the error,
    /// `Applied` if something was done. [`apply_each`](Self::apply_each) keeps every one.
    pub async fn apply(&self, progress: impl FnMut(&Step) + Send) -> Result<Applied, Error> {
        self.apply_each(progress).await?.into_applied()
    }

    /// As [`apply`](Self::apply), with what became of each target group: one that fails does not hide the others.
    ///
    /// # Errors
    /// What concerns the project, and deletions that were not allowed.
    pub async fn apply_each(&self, mut progress: impl FnMut(&Step) + Send) -> Result<ApplyReport, Error> {
        self.check_deletions(self.steps())?;
        let mut wrote = Wrote::default();
        let is_again = self.was_applied.swap(true, Ordering::Relaxed);
        let project = self.apply_project(is_again, &mut progress, &mut wrote).await?;
        let is_to_look = self.groups.iter().any(|plan| match plan.found {
            Found::Nothing => true,
            Found::Draft(..) => !plan.steps.is_empty(),
            Found::Launched(..) => is_again && !plan.steps.is_empty(),
        });
        let there = if is_to_look { wrote.after(self.groups_of(&project).await)? } else { Vec::new() };
        let steps_done = AtomicBool::new(false);
        let progress = Mutex::new(|step: &Step| {
            steps_done.store(true, Ordering::Relaxed);
            progress(step);
        });
        let mut groups = Vec::new();
        for plan in &self.groups {
            let is_otherwise = is_otherwise(plan, &there, is_again);
            groups.push(self.apply_one(plan, is_otherwise, &project, &there, &progress).boxed());
        }
        let target_groups: Vec<(String, Result<TargetGroupId, Error>)> =
            stream::iter(groups).buffered(self.concurrency).collect().await;
        let is_done = |(_, result): &(String, Result<TargetGroupId, Error>)| {
            result.as_ref().is_err_and(|error| error.outcome() == Outcome::Applied)
        };
        wrote.earlier(steps_done.load(Ordering::Relaxed) || target_groups.iter().any(is_done));
        Ok(ApplyReport { project: project.id().clone(), target_groups, wrote })
    }

    /// One target group among others: whoever is told of a step waits for nobody.
    async fn apply_one(
        &self,
        plan: &GroupPlan<V>,
        is_otherwise: bool,
        project: &ProjectScope<V>,
        there: &[There<V>],
        progress: &Mutex<impl FnMut(&Step) + Send>,
    ) -> (String, Result<TargetGroupId, Error>) {
        let mut tell = |step: &Step| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress(step);
        };
        let group = if is_otherwise {
            self.apply_anew(plan, project, there, &mut tell).await
        } else {
            match self.apply_group(plan, project, &mut tell).await {
                // It has been launched since it was listed; nothing of it was written yet.
                Err(error) if error.kind() == ErrorKind::Moved && matches!(plan.found, Found::Draft(..)) => {
                    self.apply_anew(plan, project, there, &mut tell).await
                }
                applied => applied,
            }
        };
        (plan.group.name.clone(), group.map(|group| group.id().clone()))
    }

    /// Compares a target group that is not what it was when it was planned, and does what that takes.
    async fn apply_anew(
        &self,
        plan: &GroupPlan<V>,
        project: &ProjectScope<V>,
        there: &[There<V>],
        progress: &mut (impl FnMut(&Step) + Send),
    ) -> Result<TargetGroup<V>, Error> {
        let anew = self.clone().compare_group(plan.group.clone(), plan.supply.clone(), there, Some(project)).await?;
        self.check_deletions(&anew.steps)?;
        check_agreed(&plan.group.name, &deletes(plan), &deletes(&anew))?;
        self.apply_group(&anew, project, progress).await
    }

    /// Deleting must be confirmed.
    fn check_deletions<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> Result<(), Error> {
        if self.deletions_allowed {
            return Ok(());
        }
        Error::check(steps.into_iter().filter_map(|step| match step {
            Step::ChangeTargetGroup { name, deletes, .. } if !deletes.is_empty() => {
                let lost = deletes.join(", ");
                let reason = format!(
                    "of {name:?} deletes the quotas and counts of {lost}, expected none: \
                     call `allow_deletions` to allow it"
                );
                Some(FieldError::new("audience", reason))
            }
            _ => None,
        }))
    }

    async fn apply_project(
        &self,
        is_again: bool,
        progress: &mut (impl FnMut(&Step) + Send),
        wrote: &mut Wrote,
    ) -> Result<ProjectScope<V>, Error> {
        let study = &self.study;
        let scope = match (&self.project, &self.project_step) {
            (None, _) => {
                if let Some(project) = study.project_there(&self.client).await? {
                    let scope = self.client.project(project);
                    self.match_project(&scope, wrote).await?;
                    return Ok(scope);
                }
                // The same study asks for the same project, in any process.
                let reference = study.reference_text().unwrap_or_default();
                let key = format!("study/{}/{}/{reference}", study.name.trim(), study.manager);
                let keyed = self.client.with(CallOptions::new().business_key(key));
                let mut create = keyed.projects().create(study.name.trim(), study.manager);
                if let Some(reference) = &study.reference {
                    create = create.reference(reference.clone());
                }
                self.client.project(&wrote.of(create.await)?)
            }
            (Some(project), None) => self.client.project(project),
            (Some(project), Some(_)) => {
                let scope = self.client.project(project);
                if !is_again {
                    wrote.of(self.change_project(&scope).await)?;
                } else if !self.match_project(&scope, wrote).await? {
                    return Ok(scope);
                }
                scope
            }
        };
        if let Some(step) = &self.project_step {
            progress(step);
        }
        Ok(scope)
    }

    /// Changes a project that is there, if it is not as the study says; whether it was not.
    async fn match_project(&self, scope: &ProjectScope<V>, wrote: &mut Wrote) -> Result<bool, Error> {
        let (is, study) = (scope.get().await?, &self.study);
        let differs = is.manager() != study.manager || is.reference() != study.reference_text().as_deref();
        if differs {
            wrote.of(self.change_project(scope).await)?;
        }
        Ok(differs)
    }

    async fn change_project(&self, scope: &ProjectScope<V>) -> Result<(), Error> {
        let change = |settings: &mut ProjectSettings| {
            settings.manager = self.study.manager;
            settings.reference = self.study.reference_text();
        };
        scope.edit(change).await.map(drop)
    }

    async fn apply_group(
        &self,
        plan: &GroupPlan<V>,
        project: &ProjectScope<V>,
        progress: &mut (impl FnMut(&Step) + Send),
    ) -> Result<TargetGroup<V>, Error> {
        let draft = plan.group.draft(&self.study, project, &plan.supply)?;
        let mut group = match &plan.found {
            Found::Draft(group, _) | Found::Launched(group, _) => Some(group.clone()),
            Found::Nothing => None,
        };
        let mut wrote = Wrote::default();
        for step in &plan.steps {
            match (step, &plan.found, &group) {
                (Step::ChangeTargetGroup { .. }, Found::Launched(group, change), _) => {
                    wrote.of(change.apply(group, &plan.group, &self.study).await)?;
                }
                (Step::ChangeTargetGroup { .. }, Found::Draft(group, audiences), _) => {
                    let desired = wrote.after(draft.clone().build_ahead().await)?;
                    let change = |settings: &mut DraftSettings| {
                        *settings = wanted(settings, &desired.settings, &plan.group, self.client.now())
                    };
                    wrote.of(match audiences {
                        Audiences::Same => group.edit_draft(change).await,
                        Audiences::Differ => group.set_audience(desired.audience.clone(), change).await,
                    })?;
                }
                (Step::SetExclusions { .. }, _, Some(group)) => wrote.of(self.exclude(plan, group).await)?,
                (Step::Launch { start, .. }, _, Some(group)) => {
                    let end = plan.group.fielding_period.end;
                    let key = match start {
                        None => format!("study/launch/{end}"),
                        Some(start) => format!("study/schedule/{start}/{end}"),
                    };
                    wrote.of(group.start_field_once(&key, *start, end).await)?;
                }
                (Step::SetFillingStrategy { strategy, .. }, _, Some(group)) => {
                    wrote.of(self.count(group, strategy).await)?;
                }
                (Step::CreateTargetGroup { .. }, _, _) => group = Some(wrote.of(draft.clone().create().await)?),
                _ => {}
            }
            progress(step);
        }
        match group {
            Some(group) => Ok(group),
            None => draft.create().await,
        }
    }

    /// Field that was begun a moment ago may count so already: then nothing is written.
    async fn count(&self, group: &TargetGroup<V>, strategy: &FillingStrategy) -> Result<(), Error> {
        let is = group.overview().await?.progress.and_then(|progress| progress.filling_strategy);
        if is.as_ref() == Some(strategy) {
            return Ok(());
        }
        group.set_filling_strategy(strategy.clone()).await.map(drop)
    }

    async fn exclude(&self, plan: &GroupPlan<V>, group: &TargetGroup<V>) -> Result<(), Error> {
        match &plan.exclusions {
            Some((is, desired)) => V::set_exclusions(group, is, desired).await,
            None => Ok(()),
        }
    }
}

/// What the steps of a target group delete.
fn deletes<V: Version>(plan: &GroupPlan<V>) -> Vec<&str> {
    let deletes = plan.steps.iter().filter_map(|step| match step {
        Step::ChangeTargetGroup { deletes, .. } => Some(deletes),
        _ => None,
    });
    deletes.flatten().map(String::as_str).collect()
}

/// Whether a target group is not what it was when it was planned: it is there by now, or a draft no more, or this plan
/// was applied before.
fn is_otherwise<V: Version>(plan: &GroupPlan<V>, there: &[There<V>], is_again: bool) -> bool {
    let mut named = there.iter().filter(|(name, ..)| name == plan.group.name.trim());
    match plan.found {
        Found::Nothing => named.next().is_some(),
        _ if plan.steps.is_empty() => false,
        Found::Draft(..) => named.any(|(_, status, _)| is_again || *status != Some(TargetGroupStatus::Draft)),
        Found::Launched(..) => is_again && named.next().is_some(),
    }
}
