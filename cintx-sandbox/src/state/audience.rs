//! Who is asked for: profiles, targets, conditions and quotas, in one form for
//! all versions. Reading and writing the versions' forms is the dialects' work.

use super::ledger::Tally;
use super::rounding::split;
use crate::api::rejection::Fault;
use crate::scenario::{AgeBand, Country};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The question of age, the only one with ranges.
pub(crate) const AGE: i64 = 42;
/// The question of gender.
pub(crate) const GENDER: i64 = 43;
/// The question of post codes.
pub(crate) const ZIP: i64 = 45;

/// How quotas are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Adjustment {
    /// As parts of the goal.
    #[default]
    Percentage,
    /// As numbers of completes.
    Nominal,
}

impl Adjustment {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Percentage => "percentage",
            Self::Nominal => "nominal",
        }
    }

    pub(crate) fn read(text: Option<&str>) -> Self {
        if text == Some("nominal") { Self::Nominal } else { Self::Percentage }
    }
}

/// What an answer to a question must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    Option(String),
    Range(i64, i64),
    /// Texts, or any text.
    Open {
        values: Vec<String>,
        all: bool,
    },
}

/// A condition on one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) id: String,
    pub(crate) question: i64,
    pub(crate) wanted: Wanted,
    /// What the client called it, where it did.
    pub(crate) text: Option<String>,
}

impl Condition {
    fn weight(&self) -> usize {
        let values = match &self.wanted {
            Wanted::Open { values, .. } => values.iter().map(|value| 48 + value.len()).sum(),
            Wanted::Option(option) => option.len(),
            Wanted::Range(..) => 0,
        };
        200 + values + self.text.as_ref().map_or(0, String::len)
    }

    /// A name for people.
    pub(crate) fn label(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        match &self.wanted {
            Wanted::Option(option) if self.question == GENDER && option == "1" => "Male".into(),
            Wanted::Option(option) if self.question == GENDER && option == "2" => "Female".into(),
            Wanted::Option(option) => format!("Option {option}"),
            Wanted::Range(min, max) => format!("{min}-{max}"),
            Wanted::Open { all: true, .. } => "Any".into(),
            Wanted::Open { values, .. } => values.join(" "),
        }
    }

    /// The weight of the people of a country that it fits.
    fn weight_in(&self, country: &Country) -> f64 {
        match &self.wanted {
            Wanted::Option(option) if self.question == GENDER => match option.as_str() {
                "1" => 1.0 - country.women,
                _ => country.women,
            },
            Wanted::Range(min, max) if self.question == AGE && !country.ages.is_empty() => {
                let all: f64 = country.ages.iter().map(|band| band.part).sum();
                let part = |band: &AgeBand| {
                    let shared = (band.to.min(*max) - band.from.max(*min) + 1).max(0);
                    band.part * shared as f64 / (band.to - band.from + 1) as f64
                };
                country.ages.iter().map(part).sum::<f64>() / all.max(f64::MIN_POSITIVE)
            }
            _ => self.share(),
        }
    }

    /// The part of the people that it fits, roughly.
    fn share(&self) -> f64 {
        match &self.wanted {
            Wanted::Range(min, max) => ((max - min + 1).max(0) as f64 / 82.0).min(1.0),
            Wanted::Option(_) if self.question == GENDER => 0.5,
            Wanted::Option(_) => 0.2,
            Wanted::Open { all: true, .. } => 1.0,
            Wanted::Open { values, .. } => (values.len() as f64 * 0.0005).min(1.0),
        }
    }
}

/// How full a quota is, and how full it is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quota {
    pub(crate) name: Option<String>,
    pub(crate) percentage: f64,
    pub(crate) goal: u64,
    /// The respondents that count here.
    pub(crate) tally: Tally,
}

/// One or several conditions that are counted together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) conditions: Vec<Condition>,
    /// Whether the older versions list it among the groups.
    pub(crate) grouped: bool,
    pub(crate) quota: Option<Quota>,
}

impl Target {
    /// The part of the people that it describes, roughly.
    pub(crate) fn share(&self) -> f64 {
        let mut by_question: BTreeMap<i64, f64> = BTreeMap::new();
        for condition in &self.conditions {
            *by_question.entry(condition.question).or_default() += condition.share();
        }
        by_question.values().map(|share| share.min(1.0)).product()
    }

    /// The weight of the people of a country that it describes.
    pub(crate) fn weight_in(&self, country: &Country) -> f64 {
        let mut by_question: BTreeMap<i64, f64> = BTreeMap::new();
        for condition in &self.conditions {
            *by_question.entry(condition.question).or_default() += condition.weight_in(country);
        }
        by_question.values().product()
    }

    pub(crate) fn label(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let parts: Vec<_> = self.conditions.iter().map(Condition::label).collect();
        parts.join(", ")
    }
}

/// What kind of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProfileKind {
    /// One question.
    Regular,
    /// The cross product of several questions.
    Interlock,
    /// Hand-made cells over several questions.
    Control,
}

/// A profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) legacy_id: u64,
    pub(crate) kind: ProfileKind,
    pub(crate) name: Option<String>,
    pub(crate) quotas_enabled: bool,
    pub(crate) targets: Vec<Target>,
    /// The questions' own profiles behind an interlock of the older versions.
    pub(crate) participants: Vec<Profile>,
}

impl Profile {
    fn weight(&self) -> usize {
        let conditions = self.targets.iter().flat_map(|target| &target.conditions).map(Condition::weight);
        let participants = self.participants.iter().map(Self::weight);
        300 + 300 * self.targets.len() + conditions.sum::<usize>() + participants.sum::<usize>()
    }

    /// The questions concerned, in order of appearance.
    pub(crate) fn questions(&self) -> Vec<i64> {
        let mut seen = Vec::new();
        for condition in self.targets.iter().flat_map(|target| &target.conditions) {
            if !seen.contains(&condition.question) {
                seen.push(condition.question);
            }
        }
        seen
    }

    pub(crate) fn label(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let names: Vec<_> = self.questions().into_iter().map(question_name).collect();
        names.join(", ")
    }
}

/// A name for a question of the library.
pub(crate) fn question_name(id: i64) -> String {
    match id {
        AGE => "AGE".into(),
        GENDER => "GENDER".into(),
        ZIP => "ZIP".into(),
        47 => "HISPANIC".into(),
        113 => "ETHNICITY".into(),
        _ => format!("QUESTION_{id}"),
    }
}

/// All profiles of a target group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Audience {
    pub(crate) adjustment: Adjustment,
    pub(crate) template_id: Option<String>,
    pub(crate) profiles: Vec<Profile>,
}

impl Audience {
    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.profiles.iter().flat_map(|profile| &profile.targets)
    }

    /// What it takes in memory, roughly, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.profiles.iter().map(Profile::weight).sum()
    }

    pub(crate) fn targets_mut(&mut self) -> impl Iterator<Item = &mut Target> {
        self.profiles.iter_mut().flat_map(|profile| &mut profile.targets)
    }

    /// Works out every quota's goal, or its percentage, from the other one.
    pub(crate) fn set_goals(&mut self, goal: u64) {
        let adjustment = self.adjustment;
        for profile in &mut self.profiles {
            set_profile_goals(profile, adjustment, goal);
            for participant in &mut profile.participants {
                set_profile_goals(participant, adjustment, goal);
            }
        }
    }

    /// The part of the people that the audience describes, roughly.
    pub(crate) fn share(&self) -> f64 {
        let mut by_question: BTreeMap<i64, Vec<&Condition>> = BTreeMap::new();
        for condition in self.targets().flat_map(|target| &target.conditions) {
            let known = by_question.entry(condition.question).or_default();
            if !known.iter().any(|other| other.wanted == condition.wanted) {
                known.push(condition);
            }
        }
        by_question
            .values()
            .map(|conditions| conditions.iter().map(|c| c.share()).sum::<f64>().clamp(0.0, 1.0))
            .product()
    }

    /// Everything the published rules forbid.
    pub(crate) fn faults(&self, goal: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        for profile in &self.profiles {
            profile_faults(profile, self.adjustment, goal, &mut faults);
        }
        let count = |kind| self.profiles.iter().filter(|profile| profile.kind == kind).count();
        if count(ProfileKind::Interlock) > 1 {
            faults.push(fault(34, "blended_profile_cannot_be_more_than_1", "More than one blend.", None));
        }
        if count(ProfileKind::Control) > 1 {
            let slug = "blended_profile_with_control_as_blended_type_cannot_be_more_than_1";
            faults.push(fault(66, slug, "More than one control blend.", None));
        }
        let of = |kind| self.profiles.iter().filter(move |profile| profile.kind == kind);
        for control in of(ProfileKind::Control) {
            let slug = "blended_profile_with_control_as_blended_type_should_match_with_regular_profiles";
            let known = |condition: &Condition| {
                of(ProfileKind::Regular)
                    .flat_map(|profile| &profile.targets)
                    .flat_map(|target| &target.conditions)
                    .any(|other| other.question == condition.question && other.wanted == condition.wanted)
            };
            if control.targets.iter().flat_map(|target| &target.conditions).any(|condition| !known(condition)) {
                faults.push(fault(67, slug, "A condition is in no regular profile.", Some(control)));
            }
        }
        let mut seen = BTreeSet::new();
        for profile in self.profiles.iter().filter(|profile| profile.kind == ProfileKind::Regular) {
            for question in profile.questions() {
                if !seen.insert(question) {
                    faults.push(fault(6, "profile_not_unique", "A question has two profiles.", Some(profile)));
                }
            }
        }
        faults
    }
}

fn set_profile_goals(profile: &mut Profile, adjustment: Adjustment, goal: u64) {
    let mut quotas: Vec<&mut Quota> = profile.targets.iter_mut().filter_map(|t| t.quota.as_mut()).collect();
    match adjustment {
        Adjustment::Percentage => {
            let weights: Vec<f64> = quotas.iter().map(|quota| quota.percentage).collect();
            let sum: f64 = weights.iter().sum();
            // Sums near 100 are meant as 100: rounding is the clients' burden.
            let total =
                if (99.0..=101.0).contains(&sum) { goal } else { (goal as f64 * sum / 100.0).round().max(0.0) as u64 };
            for (quota, part) in quotas.iter_mut().zip(split(total, &weights)) {
                quota.goal = part;
            }
        }
        Adjustment::Nominal => {
            for quota in quotas {
                quota.percentage = percent(quota.goal, goal);
            }
        }
    }
}

/// A part of a goal in percent, with two decimals.
pub(crate) fn percent(part: u64, goal: u64) -> f64 {
    if goal == 0 {
        return 0.0;
    }
    (part as f64 * 10_000.0 / goal as f64).round() / 100.0
}

fn fault(number: u16, slug: &'static str, detail: &str, profile: Option<&Profile>) -> Fault {
    Fault {
        number,
        slug,
        detail: detail.to_owned(),
        questions: profile.map(Profile::questions).unwrap_or_default(),
        profile: profile.map(|profile| profile.id.clone()),
    }
}

fn profile_faults(profile: &Profile, adjustment: Adjustment, goal: u64, faults: &mut Vec<Fault>) {
    let mut add = |number, slug, detail: &str| faults.push(fault(number, slug, detail, Some(profile)));
    let questions = profile.questions();
    let blended = profile.kind != ProfileKind::Regular;
    if !blended && questions.len() > 1 {
        add(48, "regular_profile_cannot_have_more_than_one_question", "Several questions in a regular profile.");
    }
    if blended {
        if questions.len() == 1 {
            add(49, "profiles_to_be_blended_cannot_have_only_one_question", "A blend of one question.");
        }
        if questions.len() > 3 {
            add(23, "blended_profiles_cannot_have_more_than_3_questions", "A blend of more than three questions.");
        }
        if questions.contains(&ZIP) {
            add(21, "zip_not_supported_in_blended", "Post codes in a blend.");
        }
        if profile.targets.len() > 350 {
            add(24, "number_of_quotas_in_blended_cannot_be_greater_than_max", "More than 350 cells.");
        }
    }
    let mut by_question: BTreeMap<i64, Vec<&Wanted>> = BTreeMap::new();
    for target in &profile.targets {
        for condition in &target.conditions {
            if condition.question <= 0 {
                add(15, "invalid_question_id", "Not a question.");
            }
            match &condition.wanted {
                Wanted::Range(min, max) if min > max => {
                    add(1, "profile_condition_min_greater_than_max", "A range that ends before it begins.");
                }
                Wanted::Range(..) if condition.question == GENDER => {
                    add(12, "profile_with_invalid_condition", "A range on a question with options.");
                }
                Wanted::Option(option) if condition.question == GENDER && !["1", "2"].contains(&option.as_str()) => {
                    add(20, "not_supported_question_option", "The question has no such option.");
                }
                Wanted::Option(_) if condition.question == AGE => {
                    add(12, "profile_with_invalid_condition", "An option on a question with ranges.");
                }
                _ => {}
            }
            if !blended {
                by_question.entry(condition.question).or_default().push(&condition.wanted);
            }
        }
    }
    for wanted in by_question.values() {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for (at, one) in wanted.iter().enumerate() {
            if wanted.iter().take(at).any(|other| other == one) {
                add(39, "duplicate_condition", "A condition stands twice.");
            } else if let Wanted::Range(min, max) = one {
                if ranges.iter().any(|(low, high)| min <= high && max >= low) {
                    add(14, "profile_condition_ranges_should_not_overlap", "Ranges overlap.");
                }
                ranges.push((*min, *max));
            }
        }
    }
    quota_faults(profile, adjustment, goal, &mut add);
}

fn quota_faults(profile: &Profile, adjustment: Adjustment, goal: u64, add: &mut dyn FnMut(u16, &'static str, &str)) {
    if !profile.quotas_enabled {
        return;
    }
    let quotas: Vec<&Quota> = profile.targets.iter().filter_map(|target| target.quota.as_ref()).collect();
    if quotas.is_empty() {
        return;
    }
    let mut names = BTreeSet::new();
    for target in &profile.targets {
        let name = target.quota.as_ref().and_then(|quota| quota.name.as_ref()).or(target.name.as_ref());
        if let Some(name) = name
            && !names.insert(name)
        {
            add(56, "duplicate_quota_name", "Two quotas have one name.");
        }
    }
    let control = profile.kind == ProfileKind::Control;
    match adjustment {
        // Hand-made quotas are a part of the whole.
        _ if control => {
            let sum: u64 = quotas.iter().map(|quota| quota.goal).sum();
            let percent: f64 = quotas.iter().map(|quota| quota.percentage).sum();
            let above = if adjustment == Adjustment::Nominal { sum > goal } else { percent > 100.01 };
            if above {
                let slug = "total_completes_goal_cannot_be_less_than_control_blended_profile_completes_goal";
                add(75, slug, "The hand-made quotas add up to more than the goal.");
            }
        }
        Adjustment::Percentage => {
            let sum: f64 = quotas.iter().map(|quota| quota.percentage).sum();
            // The tolerance is not published; published samples go to 101.
            if !(98.99..=101.01).contains(&sum) {
                add(9, "incorrect_sum_of_percentage", &format!("The percentages add up to {sum:.2}."));
            }
        }
        Adjustment::Nominal => {
            let sum: u64 = quotas.iter().map(|quota| quota.goal).sum();
            if sum != goal {
                add(10, "incorrect_sum_of_nominal", &format!("The quotas add up to {sum}, the goal is {goal}."));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(question: i64, wanted: Wanted, percentage: f64) -> Target {
        Target {
            id: String::new(),
            name: None,
            conditions: vec![Condition { id: String::new(), question, wanted, text: None }],
            grouped: false,
            quota: Some(Quota { percentage, ..Quota::default() }),
        }
    }

    fn age(bands: &[(i64, i64, f64)]) -> Audience {
        let targets = bands.iter().map(|(min, max, part)| target(AGE, Wanted::Range(*min, *max), *part)).collect();
        Audience {
            profiles: vec![Profile {
                id: "p".into(),
                legacy_id: 1,
                kind: ProfileKind::Regular,
                name: None,
                quotas_enabled: true,
                targets,
                participants: Vec::new(),
            }],
            ..Audience::default()
        }
    }

    #[test]
    fn hand_made_quotas_are_a_part_of_the_whole_and_of_what_is_asked() {
        let mut audience = age(&[(18, 34, 40.0), (35, 99, 60.0)]);
        audience.adjustment = Adjustment::Nominal;
        for (target, goal) in audience.profiles[0].targets.iter_mut().zip([200, 300]) {
            target.quota = Some(Quota { goal, ..Quota::default() });
        }
        let mut gender = audience.profiles[0].clone();
        gender.targets = vec![target(GENDER, Wanted::Option("1".into()), 0.0)];
        gender.targets[0].quota = Some(Quota { goal: 500, ..Quota::default() });
        let mut control = gender.clone();
        control.kind = ProfileKind::Control;
        control.targets[0].conditions.push(audience.profiles[0].targets[0].conditions[0].clone());
        control.targets[0].quota = Some(Quota { goal: 50, ..Quota::default() });
        audience.profiles.extend([gender, control]);
        let numbers = |audience: &Audience| audience.faults(500).iter().map(|fault| fault.number).collect::<Vec<_>>();
        assert!(numbers(&audience).is_empty());
        let quota = |audience: &mut Audience, goal| {
            audience.profiles[2].targets[0].quota = Some(Quota { goal, ..Quota::default() })
        };
        quota(&mut audience, 501);
        assert_eq!(numbers(&audience), [75]);
        quota(&mut audience, 50);
        audience.profiles[2].targets[0].conditions[1].wanted = Wanted::Range(18, 35);
        assert_eq!(numbers(&audience), [67]);
    }

    #[test]
    fn goals_add_up_to_the_goal() {
        let mut audience = age(&[(18, 34, 33.0), (35, 54, 33.0), (55, 99, 34.0)]);
        audience.set_goals(101);
        let goals: Vec<u64> = audience.targets().filter_map(|t| t.quota.as_ref().map(|q| q.goal)).collect();
        assert_eq!(goals.iter().sum::<u64>(), 101);
        assert!(audience.faults(101).is_empty());
    }

    #[test]
    fn published_rules_are_found_by_their_slug() {
        let slug = |audience: Audience| audience.faults(100).into_iter().map(|f| f.slug).collect::<Vec<_>>();
        assert_eq!(slug(age(&[(18, 34, 50.0), (30, 54, 50.0)])), ["profile_condition_ranges_should_not_overlap"]);
        assert_eq!(slug(age(&[(18, 34, 50.0), (35, 54, 20.0)])), ["incorrect_sum_of_percentage"]);
        assert_eq!(slug(age(&[(34, 18, 100.0)])), ["profile_condition_min_greater_than_max"]);
        let mut gender = age(&[(18, 34, 100.0)]);
        gender.profiles[0].targets = vec![target(GENDER, Wanted::Option("7".into()), 100.0)];
        assert_eq!(slug(gender), ["not_supported_question_option"]);
    }

    #[test]
    fn a_narrower_audience_has_a_smaller_share() {
        let wide = age(&[(18, 99, 100.0)]).share();
        let narrow = age(&[(18, 24, 100.0)]).share();
        assert!(narrow < wide && wide <= 1.0);
        assert_eq!(Audience::default().share(), 1.0);
    }
}
