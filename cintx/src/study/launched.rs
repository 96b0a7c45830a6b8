//! The changes that make a launched target group match a study, each change by a call of its own; and what cannot be
//! changed any more.

use jiff::Timestamp;

use super::plan::differing;
use super::{Study, StudyGroup};
use crate::audience::{Difference, Unit};
use crate::error::{Error, must_be_future};
use crate::fielding::{FieldingRun, RunStatus};
use crate::quota::QuotaTable;
use crate::quota::live::left_out;
use crate::supply::Supply;
use crate::target_group::{LaunchedSettings, PricingModel, TargetGroup, TargetGroupDetails, TargetGroupDraft};
use crate::types::{Money, TimeRange};
use crate::version::Version;
use crate::wire::quotas::Goals;

/// The calls that are needed; each is left out if nothing is to be done by it.
#[derive(Clone, Debug, Default)]
pub(super) struct LaunchedChange {
    /// What is changed.
    pub(super) fields: Vec<&'static str>,
    /// The profiles that are deleted, with their counts.
    pub(super) deletes: Vec<String>,
    /// Why the rest cannot be changed: a field, and what stands against it.
    pub(super) obstacles: Vec<String>,
    details: bool,
    price: Option<Money>,
    supply: Option<Supply>,
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
    ) -> Result<Self, Error> {
        let draft = group.draft(study, &there.client.project(&there.project))?.in_field().build_ahead().await?;
        let is = there.details().await?;
        let mut change = Self::default();
        change.obstacles.extend(locked(&is, group));
        let mut shall = is.settings.clone();
        set_launched(&mut shall, group, study);
        change.fields =
            differing!(is.settings, shall, manager, length_of_interview, incidence_rate, live_url, test_url, lockout);
        change.details = !change.fields.is_empty();
        change.compare_price(there, group).await?;
        change.compare_supply(there, &draft).await?;
        let run = there.fielding_run().await?;
        if let Some(run) = &run {
            change.compare_dates(run, group, there.client.now());
        }
        let window = run.and_then(|run| (run.dates().start..group.fielding_period.end).try_into().ok());
        change.compare_quotas(there, is.completes_goal, draft, window).await?;
        Ok(change)
    }

    fn change(&mut self, field: &'static str) {
        self.fields.push(field);
    }

    fn obstacle(&mut self, text: impl Into<String>) {
        self.obstacles.push(text.into());
    }

    async fn compare_price<V: Version>(&mut self, there: &TargetGroup<V>, group: &StudyGroup) -> Result<(), Error> {
        let Some(wanted) = &group.cost_per_interview else { return Ok(()) };
        let overview = there.overview().await?;
        let Some(is) = overview.current_cost_per_interview.filter(|is| is != wanted) else { return Ok(()) };
        if overview.pricing_model == Some(PricingModel::RateCard) {
            self.obstacle(format!("cost_per_interview is {wanted}, but the price is its rate card's"));
        } else if is.currency() != wanted.currency() {
            self.obstacle(format!("cost_per_interview is {wanted}, but its business unit pays in {}", is.currency()));
        } else if there.assistant().await?.pricing.is_some() {
            self.obstacle(format!(
                "cost_per_interview is {wanted}, but its fielding assistant finds the price ({is} now)"
            ));
        } else {
            self.price = Some(wanted.clone());
            self.change("cost_per_interview");
        }
        Ok(())
    }

    async fn compare_supply<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        draft: &TargetGroupDraft,
    ) -> Result<(), Error> {
        if there.supply().await?.same_as(&draft.supply) {
            return Ok(());
        }
        let (client, supply) = (&there.client, &draft.supply);
        match V::can_set_supply(client.raw(), client.account(), &there.project, &there.id, supply).await {
            Ok(()) => {
                self.supply = Some(supply.clone());
                self.change("supply");
            }
            Err(error) => {
                let reasons: Vec<String> = error.invalid_fields().iter().map(ToString::to_string).collect();
                if reasons.is_empty() {
                    return Err(error);
                }
                self.obstacles.extend(reasons);
            }
        }
        Ok(())
    }

    fn compare_dates<V: Version>(&mut self, run: &FieldingRun<V>, group: &StudyGroup, now: Timestamp) {
        if !moves(run, group) {
            return;
        }
        if *run.status() == RunStatus::Completed {
            self.obstacle(format!("field ends at {}, but it is over: relaunch it first", group.fielding_period.end));
        } else if let Some(problem) = must_be_future("fielding_period", group.fielding_period.end, now) {
            self.obstacle(format!("the end of {problem}"));
        } else {
            self.dates = true;
            self.change("fielding_period");
        }
    }

    async fn compare_quotas<V: Version>(
        &mut self,
        there: &TargetGroup<V>,
        goal: Option<i64>,
        mut draft: TargetGroupDraft,
        window: Option<TimeRange>,
    ) -> Result<(), Error> {
        let tables = there.quotas().read().await?;
        let difference = |goal| draft.audience.difference(&tables, goal, V::DRAFTS_IN);
        let goal = goal.and_then(|goal| u32::try_from(goal).ok()).unwrap_or(draft.completes_goal);
        for goal in [goal, draft.completes_goal] {
            draft.audience.shape_ahead(goal, Unit::Completes).await;
            draft.audience.shape_ahead(goal, V::DRAFTS_IN).await;
        }
        // For the present goal: only then is it the audience that differs.
        let other_audience = difference(goal) != Ok(Difference::None);
        let wanted = difference(draft.completes_goal);
        if wanted == Ok(Difference::Unreadable) {
            self.obstacle("audience cannot be compared: what is in field does not say what its quotas consist of");
            return Ok(());
        }
        if goal == draft.completes_goal && !other_audience {
            return Ok(());
        }
        if let Some(reason) = below_collected(&tables, &draft) {
            self.obstacle(reason);
            return Ok(());
        }
        if goal != draft.completes_goal {
            self.change("completes_goal");
        }
        if other_audience {
            self.change("audience");
        }
        let total = u64::from(draft.completes_goal);
        self.quotas = Some(match wanted {
            Ok(Difference::None) => QuotaChange::Goals(total, Vec::new()),
            Ok(Difference::Goals(goals)) => QuotaChange::Goals(total, goals),
            _ => {
                self.deletes = left_out(tables, &draft.audience).iter().map(|table| table.name().to_owned()).collect();
                draft.settings.fielding_period = window.unwrap_or(draft.settings.fielding_period);
                QuotaChange::Profiles(Box::new(draft))
            }
        });
        Ok(())
    }

    /// Does it.
    pub(super) async fn apply<V: Version>(
        &self,
        there: &TargetGroup<V>,
        group: &StudyGroup,
        study: &Study,
    ) -> Result<(), Error> {
        if self.details {
            there.edit_details(|settings| set_launched(settings, group, study)).await?;
        }
        if let Some(price) = &self.price {
            there.set_cost_per_interview(price).await?;
        }
        if let Some(supply) = &self.supply {
            there.set_supply(supply).await?;
        }
        if self.dates
            && let Some(mut run) = there.fielding_run().await?
        {
            let start = starts_later(&run).then_some(group.fielding_period.start);
            let change = |dates: &mut crate::fielding::FieldingPeriod| {
                dates.start = start.unwrap_or(dates.start);
                dates.end = group.fielding_period.end;
            };
            run.edit_dates(change).await?;
        }
        match &self.quotas {
            Some(QuotaChange::Goals(goal, goals)) => there.quotas().set_goals(Some(*goal), goals).await,
            // Whoever applies the plan has agreed to what it deletes.
            Some(QuotaChange::Profiles(draft)) => {
                there.quotas().replace(draft).await?.send_and_delete().await.map(drop)
            }
            None => Ok(()),
        }
    }
}

/// A launch begins at once, so the beginning counts only where field is still to come.
fn starts_later<V: Version>(run: &FieldingRun<V>) -> bool {
    *run.status() == RunStatus::Scheduled
}

fn moves<V: Version>(run: &FieldingRun<V>, group: &StudyGroup) -> bool {
    // Cint keeps milliseconds.
    let differ = |one: Timestamp, other: Timestamp| one.as_millisecond() != other.as_millisecond();
    differ(run.dates().end, group.fielding_period.end)
        || starts_later(run) && differ(run.dates().start, group.fielding_period.start)
}

/// Gives a launched target group what the study says, where it can still be changed.
fn set_launched(settings: &mut LaunchedSettings, group: &StudyGroup, study: &Study) {
    settings.manager = group.manager.unwrap_or(study.manager);
    settings.length_of_interview = group.length_of_interview;
    settings.incidence_rate = group.incidence_rate;
    settings.live_url = group.live_url.clone();
    settings.test_url = Some(group.test_url.clone().unwrap_or_else(|| group.live_url.clone()));
    if let Some(lockout) = &group.lockout {
        settings.lockout = Some(lockout.clone());
    }
}

/// What differs and is locked for ever.
fn locked(is: &TargetGroupDetails, group: &StudyGroup) -> impl Iterator<Item = String> {
    let differs = [
        ("business_unit", is.business_unit.is_some_and(|unit| unit != group.business_unit)),
        ("locale", is.locale.as_ref().is_some_and(|locale| *locale != group.locale)),
        ("collects_pii", is.collects_pii.is_some_and(|collects| collects != group.collects_pii)),
        ("industry", group.industry.is_some() && is.industry.is_some() && is.industry != group.industry),
        ("study_type", group.study_type.is_some() && is.study_type.is_some() && is.study_type != group.study_type),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(field, _)| format!("{field} differs, and cannot be changed after the launch"))
}

/// Why fewer completes than there are already cannot be wanted.
fn below_collected(tables: &[QuotaTable], draft: &TargetGroupDraft) -> Option<String> {
    let goal = draft.completes_goal;
    let completes = tables.iter().map(|table| table.sum().completes).max().unwrap_or(0);
    if completes > u64::from(goal) {
        return Some(format!("completes_goal is {goal}, but there are {completes} completes already"));
    }
    let (label, wanted, completes) = draft.audience.overfilled(tables, goal)?;
    Some(format!("audience wants {wanted} of {label}, but there are {completes} completes already"))
}
