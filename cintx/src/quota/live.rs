//! The quotas of a launched target group: read, re-balanced, interlocked, switched, replaced. What would be deleted by
//! a change is listed first, and must be confirmed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audience::solve::Limits;
use crate::audience::{Audience, ControlQuotas, Question, Refusal, Share};
use crate::client::Client;
use crate::client::options::{handle_options, with_options};
use crate::error::{Error, FieldError};
use crate::quota::{Goals, Quota, QuotaPlan, QuotaTable, QuotaWarning, TableKind};
use crate::target_group::{TargetGroup, TargetGroupDraft};
use crate::version::Version;
use crate::wire::Place;
use crate::wire::quotas::{Edit, ProfileEdit, Replacing};
pub use crate::wire::quotas::{HasProfileEdits, HasValidation};

impl<V: Version> TargetGroup<V> {
    /// Its quotas, once it is launched.
    pub fn quotas(&self) -> Quotas<V> {
        Quotas { group: self.clone(), control: None, limits: Limits::default() }
    }
}

/// The quotas of a launched target group: a handle that is cheap to clone and to keep. In every version.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before one of its methods is awaited"]
pub struct Quotas<V: Version> {
    group: TargetGroup<V>,
    control: Option<ControlQuotas>,
    limits: Limits,
}

handle_options!(Quotas: group.client);

/// How far a target group's quotas are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QuotaProgress {
    /// What is wanted and what has come in: the largest of the profiles, each of which counts every complete once.
    pub total: Quota,
    /// How many quotas there are.
    pub quotas: usize,
    /// How many of them are full.
    pub full: usize,
    /// How many have more than was wanted.
    pub overfull: usize,
}

impl fmt::Display for QuotaProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, quotas, full, overfull } = self;
        write!(f, "{} of {} completes, {full} of {quotas} quotas full", total.completes, total.target.unwrap_or(0))?;
        if *overfull > 0 { write!(f, ", {overfull} overfull") } else { Ok(()) }
    }
}

impl QuotaProgress {
    /// Sums up tables as they were read, or as events have moved them on.
    pub fn of<'a>(tables: impl IntoIterator<Item = &'a QuotaTable>) -> Self {
        let mut progress = Self::default();
        for table in tables {
            let sum = table.sum();
            if sum.target > progress.total.target {
                progress.total = sum;
            }
            for (_, quota) in table.cells().filter(|(_, quota)| quota.target.is_some()) {
                progress.quotas += 1;
                progress.full += usize::from(quota.is_full());
                progress.overfull += usize::from(quota.target.is_some_and(|target| quota.completes > target));
            }
        }
        progress
    }
}

impl<V: Version> Quotas<V> {
    /// Sets goals, and the group's own.
    pub(crate) async fn set_goals(&self, goal: Option<u64>, goals: &[Goals]) -> Result<(), Error> {
        V::set_goals(self.raw(), self.place(), goal, goals).await
    }

    pub(crate) fn place(&self) -> Place<'_> {
        self.group.place()
    }

    pub(crate) fn raw(&self) -> &V::Raw {
        self.group.client.raw()
    }

    /// The control quotas of the group, to be sent again with each change. From 2025-12-18 on, where a change replaces
    /// everything and the API does not list them: without this they would be lost.
    pub fn with_control(mut self, control: ControlQuotas) -> Self
    where
        V: HasControlQuotas,
    {
        self.control = Some(control);
        self
    }

    /// At most so much time for what is solved here: the cells of [`interlock`](Self::interlock), from 2025-12-18 on.
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// At most so much work for it, counted in numbers that are looked at: some hundred million a second, and the same
    /// on every machine.
    pub fn work_limit(mut self, numbers: u64) -> Self {
        self.limits.work = Some(numbers);
        self
    }

    /// One table for each profile: its targets, completes, prescreens.
    ///
    /// Control quotas are not listed.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_profiles")]
    #[doc(alias = "list_profiles")]
    pub async fn read(&self) -> Result<Vec<QuotaTable>, Error> {
        // Events from before this are in the answer.
        let asked = self.group.client.now();
        let mut tables = V::quotas(self.raw(), self.place()).await?;
        tables.iter_mut().for_each(|table| table.read_at(asked));
        Ok(tables)
    }

    /// Reads back what a write has just changed: if that fails, the write has taken effect all the same.
    async fn read_back(&self) -> Result<Vec<QuotaTable>, Error> {
        self.read().await.map_err(Error::after_write)
    }

    /// Puts a plan in force: the goals that it changes, and no others.
    ///
    /// The group's own goal becomes that [of the plan](QuotaPlan::goal). Without one it grows or shrinks by what the
    /// plan adds or takes away. It is not sent where that is nothing, or where the plan brings its targets to the
    /// goal. A plan that changes the group's goal alone is sent with the quotas as they are: so the API keeps them.
    ///
    /// # Errors
    /// If the plan is not of a table that was read back, or a goal is 0, which the API does not take. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "bulk_update_quotas")]
    #[doc(alias = "update_profile_filling_goal")]
    pub async fn apply(&self, plan: &QuotaPlan) -> Result<Vec<QuotaTable>, Error> {
        let refuse = |reason: String| Error::invalid(vec![FieldError::new("plan", reason)]);
        let profile = plan.profile.clone().ok_or_else(|| refuse("is not of a profile in field".to_owned()))?;
        let mut goals = Vec::new();
        for change in &plan.changes {
            let id = change.quota.clone().ok_or_else(|| refuse(format!("{} has no id", change.label)))?;
            if change.to == 0 {
                return Err(refuse(format!("{} would get a goal of 0, expected at least 1", change.label)));
            }
            goals.push((id, change.to));
        }
        if goals.is_empty() {
            return self.apply_goal(plan, &profile).await;
        }
        let goal = match (plan.goal, plan.added()) {
            (Some(goal), _) => Some(goal),
            (None, 0) => None,
            (None, added) => {
                let goal = self.goal().await?;
                let after = u64::try_from(i128::from(goal) + added).ok().filter(|after| *after > 0);
                let less = || refuse(format!("takes {} from a goal of {goal}, expected less", -added));
                (plan.total != goal).then(|| after.ok_or_else(less)).transpose()?
            }
        };
        V::set_goals(self.raw(), self.place(), goal, &[(profile, goals)]).await?;
        self.read_back().await
    }

    /// A plan that changes no quota may be about another goal of the group. What the quotas are goes with it: of a goal
    /// alone the API makes new ones.
    async fn apply_goal(&self, plan: &QuotaPlan, profile: &str) -> Result<Vec<QuotaTable>, Error> {
        let tables = self.read().await?;
        let Some(goal) = plan.goal else { return Ok(tables) };
        if self.goal().await? == goal {
            return Ok(tables);
        }
        let quotas = tables.iter().filter(|table| table.profile.as_deref() == Some(profile)).flat_map(|it| &it.cells);
        let target = |quota: &Quota| Some((quota.id.clone()?, quota.target.filter(|target| *target > 0)?));
        let quotas: Vec<(String, u64)> = quotas.filter_map(target).collect();
        if quotas.is_empty() {
            let reason = format!("is of {profile}, which has no quotas in this target group");
            return Err(Error::invalid(vec![FieldError::new("plan", reason)]));
        }
        V::set_goals(self.raw(), self.place(), Some(goal), &[(profile.to_owned(), quotas)]).await?;
        self.read_back().await
    }

    /// The goal of the group itself: the quotas of a profile may add up to less, or to more.
    async fn goal(&self) -> Result<u64, Error> {
        let goal = self.group.details().await?.completes_goal.and_then(|goal| goal.try_into().ok());
        goal.ok_or_else(|| Error::invalid(vec![FieldError::new("completes_goal", "is not known of the target group")]))
    }

    /// Sets the goal of the whole group; the API recomputes its quotas.
    ///
    /// # Errors
    /// If the goal is 0. See [when a call fails](crate::guide::failures).
    #[doc(alias = "bulk_update_quotas")]
    #[doc(alias = "update_profile_filling_goal")]
    pub async fn set_goal(&self, completes: u32) -> Result<Vec<QuotaTable>, Error> {
        if completes == 0 {
            return Err(Error::invalid(vec![FieldError::new("completes", "is 0, expected at least 1")]));
        }
        V::set_goals(self.raw(), self.place(), Some(completes.into()), &[]).await?;
        self.read_back().await
    }

    /// Crosses two or three regular profiles (by their ids) that are in field.
    ///
    /// Before 2025-12-18 the API works out the cells; from then on they keep every target, and cells that are rounded
    /// to nothing are written to the log.
    ///
    /// # Errors
    /// If a profile is not there or has no quotas. From 2025-12-18 on, before anything is sent, if there are more than
    /// 350 cells or a limit is reached. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_interlocked_profile")]
    #[doc(alias = "manage_target_group_profiles")]
    pub async fn interlock(&self, profiles: &[String]) -> Result<Vec<QuotaTable>, Error> {
        let Limits { work, time } = self.limits;
        self.edit(Edit::Interlock { profiles, work, time }).await
    }

    /// Puts the questions of an interlocked profile side by side again.
    ///
    /// # Errors
    /// If the profile is not there or not interlocked. See [when a call fails](crate::guide::failures).
    #[doc(alias = "remove_interlocks")]
    #[doc(alias = "manage_target_group_profiles")]
    pub async fn remove_interlock(&self, profile: &str) -> Result<Vec<QuotaTable>, Error> {
        self.edit(Edit::RemoveInterlock(profile)).await
    }

    /// Switches the quotas of a regular profile on. Before 2025-12-18 the API says how many each gets;
    /// from then on they get equal parts, and [`apply`](Self::apply) can set others.
    ///
    /// # Errors
    /// If the profile is not there, or interlocked. See [when a call fails](crate::guide::failures).
    #[doc(alias = "enable_quotas_v2")]
    #[doc(alias = "manage_target_group_profiles")]
    pub async fn enable(&self, profile: &str) -> Result<Vec<QuotaTable>, Error> {
        self.edit(Edit::Enable(profile, true)).await
    }

    /// Switches the quotas of a regular profile off: its conditions only screen.
    ///
    /// # Errors
    /// As [`enable`](Self::enable).
    #[doc(alias = "disable_quotas_v2")]
    #[doc(alias = "manage_target_group_profiles")]
    pub async fn disable(&self, profile: &str) -> Result<Vec<QuotaTable>, Error> {
        self.edit(Edit::Enable(profile, false)).await
    }

    async fn edit(&self, edit: Edit<'_>) -> Result<Vec<QuotaTable>, Error> {
        let (tables, goal) = (self.read().await?, self.goal().await?);
        V::edit(self.raw(), self.place(), &tables, goal, self.control.as_ref(), edit).await?;
        self.read_back().await
    }

    /// Prepares to put another audience in the place of all profiles; nothing is sent yet. `draft` says what the group
    /// is, besides its audience, and how many completes are wanted.
    ///
    /// # Errors
    /// What is wrong with the audience, or what is there could not be read. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "apply_profiles_v2")]
    #[doc(alias = "manage_target_group_profiles")]
    pub async fn replace(&self, draft: &TargetGroupDraft) -> Result<Replacement<V>, Error> {
        let mut problems = Vec::new();
        draft.audience.solve_ahead(Some(draft.settings.completes_goal), V::DRAFTS_IN).await;
        draft.audience.check(Some(draft.settings.completes_goal), V::DRAFTS_IN, &mut problems);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let deletes = left_out(self.read().await?, &draft.audience);
        let warnings = draft.audience.warnings_in(draft.settings.completes_goal, V::DRAFTS_IN);
        Ok(Replacement { quotas: self.clone(), draft: draft.clone(), deletes, warnings })
    }

    /// Deletes profiles by their ids, with their quotas.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "batch_delete_profiles")]
    #[doc(alias = "batch_delete_profiles_v2")]
    pub async fn delete(&self, profiles: &[String]) -> Result<Vec<QuotaTable>, Error> {
        V::delete_profiles(self.raw(), self.place(), profiles).await?;
        self.read_back().await
    }
}

impl<V: Version> Quotas<V> {
    /// Adds a question to the launched target group, without quotas: respondents must answer it so. Shares make no
    /// difference.
    ///
    /// Before 2025-12-18; later on, [`replace`](Self::replace).
    ///
    /// # Errors
    /// What is wrong with the question, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_profile_v2")]
    pub async fn add(&self, question: &Question) -> Result<Vec<QuotaTable>, Error>
    where
        V: HasProfileEdits,
    {
        self.edit_profile(ProfileEdit::Add(question), Some(question)).await
    }

    /// Changes what must be answered to a profile's question (the profile by its id). What is wanted as before keeps
    /// its quota and its counts; shares make no difference.
    ///
    /// Before 2025-12-18, as [`add`](Self::add).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    #[doc(alias = "update_profile_conditions_v2")]
    pub async fn set_conditions(&self, profile: &str, question: &Question) -> Result<Vec<QuotaTable>, Error>
    where
        V: HasProfileEdits,
    {
        self.edit_profile(ProfileEdit::Conditions(profile, question), Some(question)).await
    }

    /// Counts answers to a profile's question together: those of each of the question's targets that has several, under
    /// its name. All others of the profile stand alone from then on.
    ///
    /// Before 2025-12-18, as [`add`](Self::add).
    ///
    /// # Errors
    /// An answer that the profile does not have. As [`add`](Self::add).
    #[doc(alias = "group_quotas")]
    pub async fn group(&self, profile: &str, question: &Question) -> Result<Vec<QuotaTable>, Error>
    where
        V: HasProfileEdits,
    {
        self.edit_profile(ProfileEdit::Group(profile, question), Some(question)).await
    }

    /// Deletes quotas of a profile, by their ids, with their counts.
    ///
    /// Before 2025-12-18, as [`add`](Self::add).
    ///
    /// # Errors
    /// If there are none. See [when a call fails](crate::guide::failures).
    #[doc(alias = "batch_delete_profile_quotas")]
    pub async fn delete_quotas(&self, profile: &str, quotas: &[String]) -> Result<Vec<QuotaTable>, Error>
    where
        V: HasProfileEdits,
    {
        let none = quotas.is_empty().then(|| FieldError::new("quotas", "are none, expected at least one"));
        Error::check(none)?;
        self.edit_profile(ProfileEdit::DeleteQuotas(profile, quotas), None).await
    }

    async fn edit_profile(&self, edit: ProfileEdit<'_>, question: Option<&Question>) -> Result<Vec<QuotaTable>, Error>
    where
        V: HasProfileEdits,
    {
        let mut problems = Vec::new();
        if let Some(question) = question {
            // What the answers are is sent, and not how many of each are wanted.
            let mut answers = question.clone().without_quotas();
            answers.targets.iter_mut().for_each(|target| target.share = Share::Open);
            Audience::independent([answers]).check(None, V::DRAFTS_IN, &mut problems);
        }
        Error::check(problems)?;
        <V as HasProfileEdits>::edit_profile(self.raw(), self.place(), edit).await?;
        self.read_back().await
    }
}

/// The tables that an audience has no place for: replacing them by it deletes them.
pub(crate) fn left_out(tables: Vec<QuotaTable>, audience: &Audience) -> Vec<QuotaTable> {
    let kept: Vec<i64> = audience.questions.iter().map(|question| question.id()).collect();
    let mut crossed: Vec<i64> =
        audience.interlock.iter().flat_map(|it| it.questions().iter().map(|it| it.id())).collect();
    crossed.sort_unstable();
    let stays = |table: &QuotaTable| {
        let mut questions: Vec<i64> = table.axes().iter().filter_map(|axis| axis.question).collect();
        if table.kind() == TableKind::Interlock {
            questions.sort_unstable();
            return questions == crossed;
        }
        questions.iter().all(|question| kept.contains(question))
    };
    tables.into_iter().filter(|table| !stays(table)).collect()
}

/// Another audience, about to take the place of what is there.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Replacement<V: Version> {
    quotas: Quotas<V>,
    draft: TargetGroupDraft,
    deletes: Vec<QuotaTable>,
    warnings: Vec<QuotaWarning>,
}

with_options!(Replacement: quotas.group.client);

impl<V: Version> Replacement<V> {
    /// The profiles in field that the audience leaves out: the call deletes them, with their counts.
    pub fn deletes(&self) -> &[QuotaTable] {
        &self.deletes
    }

    /// What whole numbers make of the audience. Sending it writes the same to the log.
    pub fn warnings(&self) -> &[QuotaWarning] {
        &self.warnings
    }

    /// Sends it, if nothing is deleted by it.
    ///
    /// # Errors
    /// If something would be deleted: the error names it, and nothing was sent. See
    /// [when a call fails](crate::guide::failures).
    pub async fn send(&self) -> Result<Vec<QuotaTable>, Error> {
        if !self.deletes.is_empty() {
            let names: Vec<&str> = self.deletes.iter().map(QuotaTable::name).collect();
            let reason =
                format!("deletes profiles {}, expected none: call `send_and_delete` to allow it", names.join(", "));
            return Err(Error::invalid(vec![FieldError::new("audience", reason)]));
        }
        self.send_and_delete().await
    }

    /// Sends it, and agrees to what it deletes.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    pub async fn send_and_delete(&self) -> Result<Vec<QuotaTable>, Error> {
        let draft = &self.draft;
        let audience = match (&self.quotas.control, &draft.audience.control) {
            (Some(control), None) => draft.audience.clone().control(control.clone()),
            _ => draft.audience.clone(),
        };
        crate::quota::warning::log(&draft.settings.name, &self.warnings);
        let replacing = Replacing { audience: &audience, draft };
        V::replace_profiles(self.quotas.raw(), self.quotas.place(), &replacing).await?;
        self.quotas.read_back().await
    }
}

/// The versions that have hand-made quotas over several questions.
#[diagnostic::on_unimplemented(
    message = "version `{Self}` has no control quotas",
    label = "no group of this version can have any",
    note = "interlock the questions instead: `Audience::interlock`, or `.quotas().interlock(..)` in field"
)]
pub trait HasControlQuotas: Version {}

impl<V: Version> Client<V> {
    /// Asks the API whether it would take an audience; creates nothing. Empty if it would.
    ///
    /// From 2025-02-17 on. The rules of this crate are checked first.
    ///
    /// # Errors
    /// What [`Audience::problems`] finds, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "validate_profiles")]
    pub async fn validate(
        &self,
        audience: &Audience,
        completes_goal: u32,
        locale: &crate::Locale,
    ) -> Result<Vec<Refusal>, Error>
    where
        V: HasValidation,
    {
        let mut problems = Vec::new();
        audience.solve_ahead(Some(completes_goal), V::DRAFTS_IN).await;
        audience.check(Some(completes_goal), V::DRAFTS_IN, &mut problems);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let list = V::validate(self.raw(), self.account(), audience, completes_goal, &locale.to_string()).await?;
        let text = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let refusal =
            |item: &serde_json::Value| audience.refusal(None, &text(item, "name"), &text(item, "reason"), item);
        Ok(list.iter().map(refusal).collect())
    }
}
