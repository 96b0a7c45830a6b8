//! The changes that make a launched target group match a study, each change by a call of its own; and what cannot be
//! changed any more.

use jiff::Timestamp;

use serde::Serialize;
use serde_json::Value;

use super::audience_read::Parts;
use super::drift::{Drift, NotCompared};
use super::plan::differing;
use super::{Study, StudyAssistant, StudyAudience, StudyGroup, StudyLaunch, StudySupply, assistant};
use crate::audience::{Difference, Shape, Unit};
use crate::error::{Error, FieldError, Wrote, must_be_future};
use crate::fielding::{FieldingAssistant, FieldingRun, RunStatus};
use crate::quota::Goals;
use crate::quota::live::left_out;
use crate::quota::{QuotaTable, QuotaWarning};
use crate::supply::Supply;
use crate::target_group::{
    FillingStrategy, LaunchedSettings, PricingModel, TargetGroup, TargetGroupDetails, TargetGroupDraft,
    TargetGroupOverview, TargetGroupStatus,
};
use crate::types::{Money, TimeRange};
use crate::version::Version;
use crate::wire::moment::kept_moment;

/// The calls that are needed; each is left out if nothing is to be done by it.
#[derive(Clone, Debug, Default)]
pub(super) struct LaunchedChange {
    /// What is changed.
    pub(super) fields: Vec<&'static str>,
    /// The profiles that are deleted, with their counts.
    pub(super) deletes: Vec<String>,
    /// Why the rest cannot be changed: a field, and what stands against it.
    pub(super) obstacles: Vec<String>,
    /// What the change does besides, that nobody can see beforehand.
    pub(super) side_effects: Vec<String>,
    /// What whole numbers do to the quotas that are sent.
    pub(super) warnings: Vec<QuotaWarning>,
    /// Both values of each field that differs.
    pub(super) drift: Vec<Drift>,
    /// Whether field is still to begin.
    pub(super) is_scheduled: bool,
    /// What the API does not show.
    pub(super) not_compared: Vec<NotCompared>,
    name: String,
    details: bool,
    price: Option<Money>,
    strategy: Option<FillingStrategy>,
    supply: Option<Supply>,
    assistant: Option<FieldingAssistant>,
    dates: bool,
    quotas: Option<QuotaChange>,
}

#[derive(Clone, Debug)]
enum QuotaChange {
    /// Other numbers, of the group and of its quotas.
    Goals(u64, Vec<Goals>),
    /// Other profiles.
    Profiles(Box<TargetGroupDraft>),
}

impl LaunchedChange {
    /// Compares; writes nothing.
    pub(super) async fn find<V: Version>(
        there: &TargetGroup<V>,
        group: &StudyGroup,
        study: &Study,
        supply: &Supply,
    ) -> Result<Self, Error> {
        let scope = there.client.project(&there.project);
        let draft = group.draft_in_field(study, &scope, supply)?.build_ahead().await?;
        let is = there.details().await?;
        let mut change = Self { name: group.name.clone(), ..Self::default() };
        change.compare_locked(&is, group);
        let mut desired = is.settings.clone();
        set_launched(&mut desired, group, study);
        let fields: Vec<&'static str> = differing!(
            is.settings,
            desired,
            manager,
            length_of_interview,
            incidence_rate,
            live_url,
            test_url,
            lockout,
            cost_note,
            reference
        );
        change.details = !fields.is_empty();
        let value = |settings: &LaunchedSettings| serde_json::to_value(settings).unwrap_or_default();
        let (file, cint) = (value(&desired), value(&is.settings));
        fields.into_iter().for_each(|field| change.change(field, &file[field], &cint[field]));
        if group.cost_per_interview.is_some() || group.filling_strategy.is_some() {
            let overview = there.overview().await?;
            change.compare_price(there, &overview, group).await?;
            change.compare_strategy(&overview, group);
        }
        change.compare_supply(there, &draft).await?;
        change.compare_assistant(there, group, &draft).await?;
        let run = there.fielding_run().await?;
        if let Some(run) = &run {
            change.compare_start(run, group);
            change.compare_dates(run, group, there.client.now());
        }
        let window = run.and_then(|run| (run.dates().start..group.fielding_period.end).try_into().ok());
        change.compare_quotas(there, is.completes_goal, draft, group, window).await?;
        Ok(change)
    }

    /// What differs, and is changed.
    fn change(&mut self, field: &'static str, file: &(impl Serialize + ?Sized), cint: &(impl Serialize + ?Sized)) {
        self.drift.push(Drift::new(Some(&self.name), field, file, cint));
        self.fields.push(field);
    }

    /// What differs, and cannot be changed.
    fn obstacle(
        &mut self,
        field: &'static str,
        file: &(impl Serialize + ?Sized),
        cint: &(impl Serialize + ?Sized),
        text: impl Into<String>,
    ) {
        let text = text.into();
        let drift = Drift::new(Some(&self.name), field, file, cint);
        self.drift.push(Drift { obstacle: Some(text.clone()), ..drift });
        self.obstacles.push(text);
    }

    /// What differs and is locked for ever. What an answer does not say does not differ.
    fn compare_locked(&mut self, is: &TargetGroupDetails, group: &StudyGroup) {
        let locked = [
            ("business_unit", both(is.business_unit.as_ref(), Some(&group.business_unit))),
            ("locale", both(is.locale.as_ref(), Some(&group.locale))),
            ("collects_pii", both(is.collects_pii.as_ref(), Some(&group.collects_pii))),
            ("industry", both(is.industry.as_ref(), group.industry.as_ref())),
            ("study_type", both(is.study_type.as_ref(), group.study_type.as_ref())),
            ("client", both(is.client.as_ref(), group.client.as_ref())),
        ];
        for (field, (is, desired)) in locked.into_iter().filter_map(|(field, both)| Some((field, both?))) {
            self.obstacle(field, &desired, &is, format!("{field} differs, and cannot be changed after the launch"));
        }
    }

    async fn compare_price<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        overview: &TargetGroupOverview,
        group: &StudyGroup,
    ) -> Result<(), Error> {
        const FIELD: &str = "cost_per_interview";
        let Some(wanted) = &group.cost_per_interview else { return Ok(()) };
        let Some(is) = &overview.current_cost_per_interview else {
            self.not_compared.push(NotCompared::new(&self.name, FIELD, "the API does not say what it is"));
            return Ok(());
        };
        if is == wanted {
            return Ok(());
        }
        if overview.pricing_model == Some(PricingModel::RateCard) {
            self.obstacle(FIELD, wanted, is, format!("{FIELD} is {wanted}, but the price is its rate card's"));
        } else if is.currency() != wanted.currency() {
            let text = format!("{FIELD} is {wanted}, but its business unit pays in {}", is.currency());
            self.obstacle(FIELD, wanted, is, text);
        } else if there.assistant().await?.pricing.is_some() {
            let text = format!("{FIELD} is {wanted}, but its fielding assistant finds the price ({is} now)");
            self.obstacle(FIELD, wanted, is, text);
        } else {
            self.price = Some(wanted.clone());
            self.change(FIELD, wanted, is);
        }
        Ok(())
    }

    fn compare_strategy(&mut self, overview: &TargetGroupOverview, group: &StudyGroup) {
        const FIELD: &str = "filling_strategy";
        let Some(wanted) = &group.filling_strategy else { return };
        let is = overview.progress.as_ref().and_then(|progress| progress.filling_strategy.as_ref());
        match is {
            None => self.not_compared.push(NotCompared::new(&self.name, FIELD, "the API does not say what it is")),
            Some(is) if is == wanted => {}
            Some(is) if overview.status == Some(TargetGroupStatus::Paused) => {
                let text = format!("{FIELD} is {wanted}, but it cannot be changed while the target group is paused");
                self.obstacle(FIELD, wanted, is, text);
            }
            Some(is) => {
                self.strategy = Some(wanted.clone());
                self.change(FIELD, wanted, is);
            }
        }
    }

    async fn compare_supply<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        draft: &TargetGroupDraft,
    ) -> Result<(), Error> {
        let (client, supply) = (&there.client, &draft.settings.supply);
        let is = there.supply().await?;
        if is.same_as(supply) {
            return Ok(());
        }
        let (file, cint) = (StudySupply::from(supply), StudySupply::from(&is));
        if let Some(unread) = is.unread.first() {
            let text = format!("supply has {unread}, which this release cannot read, so would delete");
            self.obstacle("supply", &file, &cint, text);
            return Ok(());
        }
        match V::can_set_supply(client.raw(), client.account(), &there.project, &there.id, supply).await {
            Ok(()) => {
                self.supply = Some(supply.clone());
                self.change("supply", &file, &cint);
            }
            Err(error) => {
                let reasons: Vec<String> = error.invalid_fields().iter().map(ToString::to_string).collect();
                if reasons.is_empty() {
                    return Err(error);
                }
                let drift = Drift::new(Some(&self.name), "supply", &file, &cint);
                self.drift.push(Drift { obstacle: Some(reasons.join("; ")), ..drift });
                self.obstacles.extend(reasons);
            }
        }
        Ok(())
    }

    async fn compare_assistant<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        group: &StudyGroup,
        draft: &TargetGroupDraft,
    ) -> Result<(), Error> {
        let Some(said) = &group.assistant else { return Ok(()) };
        let is = there.assistant().await?;
        let now = there.client.now();
        if said.soft_launch.as_ref().is_some_and(|soft| soft.end <= now) {
            self.not_compared.push(NotCompared::new(&self.name, "assistant.soft_launch", "it is over"));
        }
        let desired = assistant::wanted(&is, &draft.settings.assistant, now);
        if is != desired {
            self.change("assistant", said, &StudyAssistant::read(&is, &mut Vec::new()));
            self.assistant = Some(desired);
        }
        Ok(())
    }

    /// What is scheduled is not launched at once without a word: a file may mean the start that it says.
    fn compare_start<V: Version>(&mut self, run: &FieldingRun<V>, group: &StudyGroup) {
        self.is_scheduled = starts_later(run);
        if self.is_scheduled && group.launch == StudyLaunch::Now {
            let start = run.dates().start;
            let text =
                format!("launch is true, but it is scheduled for {start}: say \"at-start\", or launch it by hand");
            self.obstacle("launch", &group.launch, &StudyLaunch::AtStart, text);
        }
    }

    fn compare_dates<V: Version>(&mut self, run: &FieldingRun<V>, group: &StudyGroup, now: Timestamp) {
        const FIELD: &str = "fielding_period";
        if !moves(run, group) {
            return;
        }
        let (file, cint) = (group.fielding_period, run.dates());
        if *run.status() == RunStatus::Completed {
            let text = format!("field ends at {}, but it is over: relaunch it first", group.fielding_period.end);
            self.obstacle(FIELD, &file, &cint, text);
        } else if let Some(problem) = must_be_future(FIELD, group.fielding_period.end, now) {
            self.obstacle(FIELD, &file, &cint, format!("the end of {problem}"));
        } else {
            self.dates = true;
            self.change(FIELD, &file, &cint);
        }
    }

    async fn compare_quotas<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        goal: Option<i64>,
        mut draft: TargetGroupDraft,
        group: &StudyGroup,
        window: Option<TimeRange>,
    ) -> Result<(), Error> {
        let tables = there.quotas().read().await?;
        if draft.audience.control.is_some() {
            let reason = "the API does not list control quotas in field";
            self.not_compared.push(NotCompared::new(&self.name, "audience.control", reason));
        }
        if group.audience.template.is_some() {
            let reason = "the API does not say in field what comes from a template";
            self.not_compared.push(NotCompared::new(&self.name, "audience", reason));
            return Ok(());
        }
        let difference = |goal| draft.audience.difference(&tables, goal, V::DRAFTS_IN);
        let present = goal.and_then(|goal| u32::try_from(goal).ok()).unwrap_or(draft.settings.completes_goal);
        for goal in [present, draft.settings.completes_goal] {
            draft.audience.shape_ahead(goal, Unit::Completes).await;
            draft.audience.draft_shape_ahead(goal, V::DRAFTS_IN).await;
        }
        // For the present goal: only then is it the audience that differs.
        let other_audience = difference(present) != Ok(Difference::None);
        let wanted = difference(draft.settings.completes_goal);
        if wanted == Ok(Difference::Unreadable) {
            let reason = "what is in field does not say what its quotas consist of";
            self.not_compared.push(NotCompared::new(&self.name, "audience", reason));
            self.obstacles.push(format!("audience cannot be compared: {reason}"));
            return Ok(());
        }
        if present == draft.settings.completes_goal && !other_audience {
            return Ok(());
        }
        let cint = StudyAudience::read(&Shape::of_tables(&tables), None, Parts::Completes, present);
        if let Some(reason) = below_collected(&tables, &draft) {
            match other_audience {
                true => self.obstacle("audience", &group.audience, &cint, reason),
                false => self.obstacle("completes_goal", &draft.settings.completes_goal, &present, reason),
            }
            return Ok(());
        }
        if present != draft.settings.completes_goal {
            self.change("completes_goal", &draft.settings.completes_goal, &present);
        }
        if other_audience {
            self.change("audience", &group.audience, &cint);
        }
        let total = u64::from(draft.settings.completes_goal);
        let warnings = |sent_in| draft.audience.warnings_in(draft.settings.completes_goal, sent_in);
        self.quotas = Some(match wanted {
            Ok(Difference::None) => QuotaChange::Goals(total, Vec::new()),
            Ok(Difference::Goals(goals)) => {
                self.warnings = warnings(Unit::Completes);
                QuotaChange::Goals(total, goals)
            }
            _ => {
                self.warnings = warnings(V::DRAFTS_IN);
                self.deletes = left_out(tables, &draft.audience).iter().map(|table| table.name().to_owned()).collect();
                if V::CONTROL_QUOTAS && draft.audience.control.is_none() {
                    let reason = "the API does not list control quotas in field";
                    self.not_compared.push(NotCompared::new(&self.name, "audience.control", reason));
                    let text = "audience is replaced: control quotas that are in field, and that it does not name, are \
                                deleted with their counts";
                    self.side_effects.push(text.to_owned());
                }
                draft.settings.fielding_period = window.unwrap_or(draft.settings.fielding_period);
                QuotaChange::Profiles(Box::new(draft))
            }
        });
        Ok(())
    }

    /// Does it.
    ///
    /// # Errors
    /// The first request that failed; once another has changed something, the whole took effect.
    pub(super) async fn apply<V: Version>(
        &self,
        there: &TargetGroup<V>,
        group: &StudyGroup,
        study: &Study,
    ) -> Result<(), Error> {
        let mut wrote = Wrote::default();
        if self.details {
            wrote.of(there.edit_details(|settings| set_launched(settings, group, study)).await)?;
        }
        if let Some(price) = &self.price {
            wrote.of(there.set_cost_per_interview(price).await)?;
        }
        if let Some(strategy) = &self.strategy {
            wrote.of(there.set_filling_strategy(strategy.clone()).await)?;
        }
        if let Some(supply) = &self.supply {
            wrote.of(there.set_supply(supply).await)?;
        }
        if let Some(desired) = &self.assistant {
            wrote.of(there.edit_assistant(|assistant| *assistant = desired.clone()).await)?;
        }
        if self.dates
            && let Some(mut run) = wrote.after(there.fielding_run().await)?
        {
            let start = starts_later(&run).then_some(group.fielding_period.start);
            let change = |dates: &mut crate::fielding::FieldingPeriod| {
                dates.start = start.unwrap_or(dates.start);
                dates.end = group.fielding_period.end;
            };
            wrote.of(run.edit_dates(change).await)?;
        }
        match &self.quotas {
            Some(QuotaChange::Goals(goal, goals)) => wrote.of(there.quotas().set_goals(Some(*goal), goals).await),
            Some(QuotaChange::Profiles(draft)) => {
                let replacement = wrote.after(there.quotas().replace(draft).await)?;
                let agreed: Vec<&str> = self.deletes.iter().map(String::as_str).collect();
                let deletes: Vec<&str> = replacement.deletes().iter().map(QuotaTable::name).collect();
                wrote.after(check_agreed(&self.name, &agreed, &deletes))?;
                wrote.of(replacement.send_and_delete().await.map(drop))
            }
            None => Ok(()),
        }
    }
}

/// Whoever applies a plan has agreed to what it deletes, and to nothing that came into field since.
pub(super) fn check_agreed(group: &str, agreed: &[&str], deletes: &[&str]) -> Result<(), Error> {
    let mut agreed = agreed.to_vec();
    let is_new = |name: &&&str| match agreed.iter().position(|agreed| agreed == *name) {
        Some(at) => {
            agreed.swap_remove(at);
            false
        }
        None => true,
    };
    let more: Vec<&str> = deletes.iter().filter(is_new).copied().collect();
    let lost = more.join(", ");
    Error::check((!more.is_empty()).then(|| {
        let reason = format!(
            "of {group:?} deletes the quotas and counts of {lost}, expected none: they came into field after the plan \
             was made, so plan again"
        );
        FieldError::new("audience", reason)
    }))
}

/// What there is and what desired be, where both are said and differ.
fn both<T: Serialize + PartialEq>(is: Option<&T>, desired: Option<&T>) -> Option<(Value, Value)> {
    let (is, desired) = is.zip(desired).filter(|(is, desired)| is != desired)?;
    Some((serde_json::to_value(is).ok()?, serde_json::to_value(desired).ok()?))
}

/// A launch begins at once, so the beginning counts only where field is still to come.
fn starts_later<V: Version>(run: &FieldingRun<V>) -> bool {
    *run.status() == RunStatus::Scheduled
}

fn moves<V: Version>(run: &FieldingRun<V>, group: &StudyGroup) -> bool {
    let differ = |one: Timestamp, other: Timestamp| kept_moment(one) != kept_moment(other);
    differ(run.dates().end, group.fielding_period.end)
        || starts_later(run) && differ(run.dates().start, group.fielding_period.start)
}

/// Gives a launched target group what the study says, where it can still be changed.
fn set_launched(settings: &mut LaunchedSettings, group: &StudyGroup, study: &Study) {
    settings.manager = group.manager.unwrap_or(study.manager);
    settings.length_of_interview = group.length_of_interview;
    settings.incidence_rate = group.incidence_rate;
    if let Some(url) = &group.live_url {
        settings.live_url = url.clone();
    }
    if let Some(url) = group.test_url.as_ref().or(group.live_url.as_ref()) {
        settings.test_url = Some(url.clone());
    }
    if let Some(lockout) = &group.lockout {
        settings.lockout = Some(lockout.clone());
    }
    if let Some(note) = &group.cost_note {
        settings.cost_note = Some(note.clone());
    }
    if let Some(reference) = &group.reference {
        settings.reference = Some(reference.to_string());
    }
}

/// Why fewer completes than there are already cannot be wanted.
fn below_collected(tables: &[QuotaTable], draft: &TargetGroupDraft) -> Option<String> {
    let goal = draft.settings.completes_goal;
    let completes = tables.iter().map(|table| table.sum().completes).max().unwrap_or(0);
    if completes > u64::from(goal) {
        return Some(format!("completes_goal is {goal}, but there are {completes} completes already"));
    }
    let (label, wanted, completes) = draft.audience.overfilled(tables, goal)?;
    Some(format!("audience wants {wanted} of {label}, but there are {completes} completes already"))
}
