//! Changes to the profiles of a launched group. Targets that ask for the same
//! people keep their ids; who counts where is the ledger's work.

use super::audience::{Audience, Condition, Profile, ProfileKind, Quota, Target, percent};
use super::interlock::{count, cross};
use super::rounding::split;
use crate::api::rejection::{Fault, Rejection};

/// The greatest number of cells of an interlock.
pub(crate) const MAX_CELLS: usize = 350;

/// New goals of quotas, profile by profile: the profile's id, then target ids
/// with the number of completes.
pub(crate) type Goals = Vec<(String, Vec<(String, u64)>)>;

fn is(profile: &Profile, id: &str) -> bool {
    profile.id == id || (profile.legacy_id > 0 && profile.legacy_id.to_string() == id)
}

fn same(one: &[Condition], other: &[Condition]) -> bool {
    let within = |one: &[Condition], other: &[Condition]| {
        one.iter().all(|a| other.iter().any(|b| a.question == b.question && a.wanted == b.wanted))
    };
    within(one, other) && within(other, one)
}

impl Quota {
    /// What becomes of it when so many conditions count for themselves; the goals add up to its own.
    fn parts(&self, count: usize) -> Vec<Self> {
        let part = |goal: u64| {
            let share = if self.goal > 0 { goal as f64 / self.goal as f64 } else { 1.0 / count as f64 };
            Self { percentage: self.percentage * share, goal, ..Self::default() }
        };
        split(self.goal, &vec![1.0; count]).into_iter().map(part).collect()
    }
}

impl Profile {
    /// Takes over the ids of targets that ask for the same.
    fn inherit(&mut self, before: &[Target]) {
        for target in &mut self.targets {
            let Some(old) = before.iter().find(|old| same(&old.conditions, &target.conditions)) else {
                continue;
            };
            target.id.clone_from(&old.id);
        }
    }

    /// Lets the quotas follow the group's goal. Hand-made ones, and those that are left where others were deleted, stay
    /// the part of it that they were; all others are the whole of it.
    fn follow(&mut self, before: u64, goal: u64) {
        let is_part = self.kind == ProfileKind::Control || self.targets.iter().any(|target| target.quota.is_none());
        if !is_part || before == 0 {
            return self.spread(goal, goal);
        }
        let sum: u64 = self.targets.iter().filter_map(|target| target.quota.as_ref()).map(|quota| quota.goal).sum();
        let sum = (sum as f64 * goal as f64 / before as f64).round() as u64;
        self.spread(sum.min(goal), goal);
    }

    /// Splits so many of a goal's completes over the targets in the proportion they have, or evenly.
    fn spread(&mut self, sum: u64, goal: u64) {
        let mut quotas: Vec<&mut Quota> = self.targets.iter_mut().filter_map(|target| target.quota.as_mut()).collect();
        let weights: Vec<f64> = quotas.iter().map(|quota| quota.goal as f64).collect();
        let even = weights.iter().sum::<f64>() <= 0.0;
        let weights = if even { vec![1.0; weights.len()] } else { weights };
        for (quota, part) in quotas.iter_mut().zip(split(sum, &weights)) {
            quota.goal = part;
            quota.percentage = percent(part, goal);
        }
    }
}

impl Audience {
    /// A profile by its id, also one that is a margin of an interlock.
    pub(crate) fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles
            .iter()
            .flat_map(|profile| std::iter::once(profile).chain(&profile.participants))
            .find(|profile| is(profile, id))
    }

    /// A profile of its own, to be changed.
    fn own(&mut self, id: &str) -> Result<&mut Profile, Rejection> {
        if self.profiles.iter().flat_map(|profile| &profile.participants).any(|profile| is(profile, id)) {
            return Err(Rejection::bad_request("The profile is part of an interlock; remove the interlock first."));
        }
        self.profiles.iter_mut().find(|profile| is(profile, id)).ok_or_else(|| Rejection::not_found("profile"))
    }

    /// Takes the ids of what was there over into what replaces it.
    pub(crate) fn inherit(&mut self, before: &Self) {
        for profile in &mut self.profiles {
            let mut questions = profile.questions();
            questions.sort_unstable();
            let old = before.profiles.iter().find(|old| {
                let mut own = old.questions();
                own.sort_unstable();
                own == questions && (old.kind == ProfileKind::Regular) == (profile.kind == ProfileKind::Regular)
            });
            if let Some(old) = old {
                profile.id.clone_from(&old.id);
                profile.inherit(&old.targets);
            }
        }
    }

    /// Quotas that ask for less than has been collected, as the newest
    /// version names them. A cell that is new may hold more than it asks for:
    /// nobody could know whom it would find.
    pub(crate) fn collected_faults(&self, goal: u64, collected: u64, before: &Self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let fault = |number, slug, detail: String, profile: Option<&Profile>| Fault {
            number,
            slug,
            detail,
            questions: profile.map(Profile::questions).unwrap_or_default(),
            profile: profile.map(|profile| profile.id.clone()),
        };
        if goal < collected {
            let slug = "total_completes_goal_cannot_be_less_than_collected";
            faults.push(fault(76, slug, format!("{collected} completes are collected."), None));
        }
        for profile in &self.profiles {
            for target in &profile.targets {
                let Some(quota) = &target.quota else {
                    continue;
                };
                let known = before.targets().any(|old| old.id == target.id);
                if known && quota.goal < quota.tally.completes {
                    let collected = quota.tally.completes;
                    let detail = format!("{collected} completes are collected, the quota asks for {}.", quota.goal);
                    faults.push(fault(46, "quota_value_less_than_completes", detail, Some(profile)));
                }
                if quota.goal > goal {
                    let detail = format!("A quota asks for {}, the group for {goal}.", quota.goal);
                    faults.push(fault(47, "quota_value_greater_than_completes_goal", detail, Some(profile)));
                }
            }
        }
        faults
    }

    /// Deletes profiles; either all of them or none.
    pub(crate) fn remove(&mut self, ids: &[String]) -> Result<(), Rejection> {
        for id in ids {
            self.own(id)?;
        }
        self.profiles.retain(|profile| !ids.iter().any(|id| is(profile, id)));
        Ok(())
    }

    /// Deletes quotas, so that their targets are open to anyone.
    pub(crate) fn remove_quotas(&mut self, profile: &str, quotas: &[String]) -> Result<(), Rejection> {
        let profile = self.own(profile)?;
        for id in quotas {
            let target = profile.targets.iter_mut().find(|target| target.id == *id && target.quota.is_some());
            target.ok_or_else(|| Rejection::not_found("quota"))?.quota = None;
        }
        Ok(())
    }

    /// Turns a profile's quotas on, splitting the goal evenly, or off. Those that are all on stay as they are.
    pub(crate) fn enable_quotas(&mut self, id: &str, enabled: bool, goal: u64) -> Result<&Profile, Rejection> {
        let profile = self.own(id)?;
        profile.quotas_enabled = enabled;
        if enabled && profile.targets.iter().all(|target| target.quota.is_some()) {
            return Ok(profile);
        }
        for target in &mut profile.targets {
            target.quota = enabled.then(Quota::default);
        }
        profile.spread(goal, goal);
        Ok(profile)
    }

    /// Replaces the conditions of a regular profile.
    pub(crate) fn replace_conditions(
        &mut self,
        id: &str,
        mut targets: Vec<Target>,
        goal: u64,
    ) -> Result<&Profile, Rejection> {
        let profile = self.own(id)?;
        if profile.kind != ProfileKind::Regular {
            return Err(Rejection::bad_request("The conditions of an interlock cannot be replaced."));
        }
        if profile.quotas_enabled {
            for target in &mut targets {
                target.quota = Some(Quota::default());
            }
        }
        let before = std::mem::replace(&mut profile.targets, targets);
        profile.inherit(&before);
        profile.spread(goal, goal);
        Ok(profile)
    }

    /// Counts conditions of a profile together under names; what no group
    /// names stands alone.
    pub(crate) fn group(&mut self, id: &str, groups: &[(String, Vec<String>)]) -> Result<&Profile, Rejection> {
        let profile = self.own(id)?;
        if profile.kind != ProfileKind::Regular {
            return Err(Rejection::bad_request("The conditions of an interlock cannot be grouped."));
        }
        let mut old = std::mem::take(&mut profile.targets);
        let mut singles: Vec<(Condition, Option<Quota>, String)> = Vec::new();
        for target in &mut old {
            let conditions = std::mem::take(&mut target.conditions);
            let parts = target.quota.as_ref().map(|quota| quota.parts(conditions.len())).unwrap_or_default();
            let mut parts = parts.into_iter();
            singles.extend(conditions.into_iter().map(|condition| (condition, parts.next(), target.id.clone())));
        }
        let known = |wanted: &String| singles.iter().any(|(condition, _, _)| condition.id == *wanted);
        let missing = groups.iter().flat_map(|(_, conditions)| conditions).find(|wanted| !known(wanted));
        let missing = missing.map(|id| Rejection::invalid("conditions", format!("the profile has no condition {id}")));
        let mut targets = Vec::new();
        // One part of a divided target keeps its id, the others take those of
        // their conditions.
        let mut seen: Vec<String> = Vec::new();
        for (name, wanted) in groups {
            let (taken, left): (Vec<_>, Vec<_>) =
                singles.into_iter().partition(|(condition, _, _)| wanted.contains(&condition.id));
            singles = left;
            let Some((first, _, id)) = taken.first().cloned() else {
                continue;
            };
            let id = if seen.contains(&id) { first.id } else { id };
            seen.push(id.clone());
            // Conditions whose quotas were deleted stay open to anyone.
            let quotas = taken.iter().filter_map(|(_, quota, _)| quota.clone());
            let sum = quotas.reduce(|sum, one| Quota {
                percentage: sum.percentage + one.percentage,
                goal: sum.goal + one.goal,
                ..Quota::default()
            });
            targets.push(Target {
                id,
                name: Some(name.clone()),
                conditions: taken.into_iter().map(|(condition, _, _)| condition).collect(),
                grouped: true,
                quota: sum.map(|sum| Quota { name: Some(name.clone()), ..sum }),
            });
        }
        for (condition, quota, id) in singles {
            let id = if seen.contains(&id) { condition.id.clone() } else { id };
            seen.push(id.clone());
            targets.push(Target { id, name: None, conditions: vec![condition], grouped: false, quota });
        }
        profile.targets = targets;
        match missing {
            Some(refusal) => Err(refusal),
            None => Ok(profile),
        }
    }

    /// Lets all quotas follow a new total in proportion.
    pub(crate) fn follow(&mut self, before: u64, goal: u64) {
        self.profiles.iter_mut().for_each(|profile| profile.follow(before, goal));
    }

    /// Sets the goals of quotas, as numbers of completes. Without any, all
    /// quotas follow the new total.
    pub(crate) fn set_quota_goals(&mut self, before: u64, goal: u64, goals: &Goals) -> Result<(), Rejection> {
        if goals.is_empty() {
            self.follow(before, goal);
            return Ok(());
        }
        for (id, quotas) in goals {
            // Quotas of an interlock's margins follow from its cells.
            let profile = self
                .profiles
                .iter_mut()
                .find(|profile| is(profile, id))
                .ok_or_else(|| unknown(44, "profile_id_not_found", format!("There is no profile {id}.")))?;
            for (quota_id, completes) in quotas {
                let quota = profile
                    .targets
                    .iter_mut()
                    .find(|target| target.id == *quota_id)
                    .and_then(|target| target.quota.as_mut())
                    .ok_or_else(|| {
                        unknown(45, "target_id_not_found_for_profile", format!("There is no target {quota_id}."))
                    })?;
                quota.goal = *completes;
            }
        }
        for quota in self.targets_mut().filter_map(|target| target.quota.as_mut()) {
            quota.percentage = percent(quota.goal, goal);
        }
        Ok(())
    }

    /// Crosses existing regular profiles with quotas into one interlock.
    pub(crate) fn interlock(
        &mut self,
        ids: &[String],
        goal: u64,
        profile_id: String,
        mut fresh: impl FnMut() -> String,
    ) -> Result<&Profile, Rejection> {
        if !(2..=6).contains(&ids.len()) {
            return Err(Rejection::invalid("profiles", format!("2 to 6 are crossed, not {}", ids.len())));
        }
        if self.profiles.iter().any(|profile| profile.kind == ProfileKind::Interlock) {
            return Err(Rejection::bad_request("The target group has an interlock."));
        }
        let mut participants = Vec::new();
        for id in ids {
            let profile = self.own(id)?;
            if profile.kind != ProfileKind::Regular || !profile.quotas_enabled {
                return Err(Rejection::invalid("profiles", "only regular profiles with quotas on can be crossed"));
            }
            participants.push(profile.clone());
        }
        if count(&participants) > MAX_CELLS {
            return Err(Rejection::invalid("profiles", format!("more than {MAX_CELLS} cells")));
        }
        let targets = cross(&participants, goal)
            .into_iter()
            .map(|cell| Target {
                id: fresh(),
                name: Some(cell.name),
                conditions: cell.conditions,
                grouped: false,
                quota: Some(Quota { percentage: cell.hundredths as f64 / 100.0, goal: cell.goal, ..Quota::default() }),
            })
            .collect();
        self.profiles.retain(|profile| !ids.iter().any(|id| is(profile, id)));
        self.profiles.push(Profile {
            id: profile_id,
            legacy_id: 0,
            kind: ProfileKind::Interlock,
            name: None,
            quotas_enabled: true,
            targets,
            participants,
        });
        self.profiles.last().ok_or_else(|| Rejection::not_found("profile"))
    }

    /// Takes an interlock apart; its margins count for themselves again.
    pub(crate) fn remove_interlock(&mut self, id: &str) -> Result<Vec<String>, Rejection> {
        let at = self
            .profiles
            .iter()
            .position(|profile| profile.kind == ProfileKind::Interlock && is(profile, id))
            .ok_or_else(|| Rejection::not_found("interlocked profile"))?;
        let interlock = self.profiles.remove(at);
        let mut back = Vec::new();
        for mut margin in interlock.participants {
            for target in &mut margin.targets {
                let cells = interlock.targets.iter().filter(|cell| {
                    target.conditions.iter().any(|wanted| {
                        cell.conditions.iter().any(|own| own.question == wanted.question && own.wanted == wanted.wanted)
                    })
                });
                let mut sum = Quota::default();
                for cell in cells.filter_map(|cell| cell.quota.as_ref()) {
                    sum.goal += cell.goal;
                    sum.percentage += cell.percentage;
                }
                if let Some(quota) = &mut target.quota {
                    *quota = Quota { name: quota.name.take(), ..sum };
                }
            }
            back.push(margin.id.clone());
            self.profiles.push(margin);
        }
        Ok(back)
    }
}

fn unknown(number: u16, slug: &'static str, detail: String) -> Rejection {
    Rejection::profiles(vec![Fault { number, slug, detail, questions: Vec::new(), profile: None }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::audience::{AGE, Wanted};

    /// A profile with conditions c0, c1, .. and a quota for each, under the goal of 100.
    fn profile(kind: ProfileKind, goals: &[u64]) -> Profile {
        let target = |(at, goal): (usize, &u64)| {
            let wanted = Wanted::Range(10 * at as i64, 10 * at as i64 + 9);
            Target {
                id: format!("t{at}"),
                name: None,
                conditions: vec![Condition { id: format!("c{at}"), question: AGE, wanted, text: None }],
                grouped: false,
                quota: Some(Quota { goal: *goal, percentage: *goal as f64, ..Quota::default() }),
            }
        };
        Profile {
            id: "p".into(),
            legacy_id: 0,
            kind,
            name: None,
            quotas_enabled: true,
            targets: goals.iter().enumerate().map(target).collect(),
            participants: Vec::new(),
        }
    }

    fn audience(profile: Profile) -> Audience {
        Audience { profiles: vec![profile], ..Audience::default() }
    }

    /// The goals of quotas; none where a target has no quota.
    fn goals(audience: &Audience) -> Vec<Option<u64>> {
        audience.targets().map(|target| target.quota.as_ref().map(|quota| quota.goal)).collect()
    }

    fn together(name: &str, conditions: &[&str]) -> (String, Vec<String>) {
        (name.into(), conditions.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn grouping_again_keeps_every_complete() {
        let mut audience = audience(profile(ProfileKind::Regular, &[34, 33, 33]));
        for name in ["A", "A", "B"] {
            audience.group("p", &[together(name, &["c0", "c1"])]).unwrap();
            assert_eq!(goals(&audience), [Some(67), Some(33)], "{name}");
        }
        audience.group("p", &[together("all", &["c0", "c1", "c2"])]).unwrap();
        audience.group("p", &[]).unwrap();
        assert_eq!(goals(&audience), [Some(34), Some(33), Some(33)]);
        let percentages: Vec<f64> =
            audience.targets().filter_map(|target| Some(target.quota.as_ref()?.percentage.round())).collect();
        assert_eq!(percentages, [34.0, 33.0, 33.0]);
    }

    #[test]
    fn a_part_of_the_goal_stays_a_part_of_it() {
        let mut by_hand = audience(profile(ProfileKind::Control, &[50]));
        by_hand.set_quota_goals(500, 600, &Goals::new()).unwrap();
        assert_eq!(goals(&by_hand), [Some(60)]);
        assert_eq!(by_hand.targets().next().unwrap().quota.as_ref().unwrap().percentage, 10.0);
        let mut left = audience(profile(ProfileKind::Regular, &[50, 50]));
        left.remove_quotas("p", &["t1".into()]).unwrap();
        left.set_quota_goals(100, 200, &Goals::new()).unwrap();
        assert_eq!(goals(&left), [Some(100), None]);
        let mut all = audience(profile(ProfileKind::Regular, &[40, 20]));
        all.set_quota_goals(100, 200, &Goals::new()).unwrap();
        assert_eq!(goals(&all), [Some(133), Some(67)], "what was edited one by one is the whole again");
    }

    #[test]
    fn what_is_turned_on_already_stays() {
        let mut by_hand = audience(profile(ProfileKind::Control, &[10, 40]));
        by_hand.enable_quotas("p", true, 500).unwrap();
        assert_eq!(goals(&by_hand), [Some(10), Some(40)]);
        let mut left = audience(profile(ProfileKind::Regular, &[30, 70]));
        left.remove_quotas("p", &["t1".into()]).unwrap();
        left.enable_quotas("p", true, 100).unwrap();
        assert_eq!(goals(&left), [Some(50), Some(50)], "nobody is closed out");
    }

    #[test]
    fn grouping_closes_nobody_out() {
        let mut audience = audience(profile(ProfileKind::Regular, &[40, 30, 30]));
        audience.remove_quotas("p", &["t1".into(), "t2".into()]).unwrap();
        audience.group("p", &[together("open", &["c1", "c2"])]).unwrap();
        assert_eq!(goals(&audience), [None, Some(40)]);
    }
}
