//! Those who have taken part before, and whom exclusions and recontacts keep
//! out of a target group or let in.

use super::World;
use super::file_job::{self, List};
use super::locale;
use super::market::INDUSTRIES;
use super::session::{Replies, Session};
use super::target_group::TargetGroup;
use crate::sim::rng::Rng;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// So many people are known at most; then the first are forgotten.
const MAX_PEOPLE: usize = 20_000;
/// So many of a person's respondents are kept.
const MAX_VISITS: usize = 20;
/// How many people are looked at to find one who fits.
const MAX_PEOPLE_TRIED: usize = 4;

/// Somebody who has taken part.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Person {
    panelist: String,
    country: String,
    replies: Replies,
    /// The respondents that it was, latest last.
    rids: Vec<String>,
}

/// Everyone who is known, those who came first at the front.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct People {
    known: VecDeque<Person>,
}

/// Who comes to a target group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    /// The panelist's id, where it is known already.
    pub(crate) panelist: Option<String>,
    /// What the panel knows of it.
    pub(crate) replies: Replies,
    /// Its place among those who are known.
    place: Option<usize>,
}

impl People {
    /// Notes that a visitor has become a respondent.
    pub(crate) fn note(&mut self, visitor: &Visitor, session: &Session, country: &str) {
        // Whoever is asked again may be known, too.
        let place = visitor.place.or_else(|| {
            let panelist = visitor.panelist.as_deref()?;
            self.known.iter().rposition(|person| person.panelist == panelist)
        });
        if let Some(person) = place.and_then(|place| self.known.get_mut(place)) {
            person.replies.clone_from(&session.replies);
            if person.rids.len() >= MAX_VISITS {
                person.rids.remove(0);
            }
            person.rids.push(session.rid.clone());
            return;
        }
        if self.known.len() >= MAX_PEOPLE {
            self.known.pop_front();
        }
        self.known.push_back(Person {
            panelist: session.panelist.clone(),
            country: country.to_owned(),
            replies: session.replies.clone(),
            rids: vec![session.rid.clone()],
        });
    }

    /// Whether no more are known than may be.
    #[cfg(test)]
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.known.len() <= MAX_PEOPLE && self.known.iter().all(|person| person.rids.len() <= MAX_VISITS)
    }
}

/// The id under which the panel knows whoever has become this respondent.
pub(crate) fn panelist_of(seed: u64, rid: &str) -> String {
    Rng::named(seed, &format!("panelist {}", rid.to_uppercase())).uuid()
}

/// Who comes next to a target group; `None` if it is somebody who is kept out.
pub(crate) fn visitor(world: &World, group: &TargetGroup, at: Timestamp, rng: &mut Rng) -> Option<Visitor> {
    if file_job::count(world, &group.id, List::Recontacts) > 0 {
        return recontact(world, group, rng);
    }
    if !rng.chance(world.settings.scenario.arrivals.returning) {
        return Some(Visitor::default());
    }
    let country = locale::country(&group.locale);
    let known = &world.people.known;
    for _ in 0..MAX_PEOPLE_TRIED {
        let place = rng.below(known.len() as u64) as usize;
        let Some(person) = known.get(place).filter(|person| person.country == country) else {
            continue;
        };
        let visits: Vec<&Session> = person.rids.iter().filter_map(|rid| world.sessions.get(rid)).collect();
        // Nobody comes twice to the same survey.
        if visits.iter().any(|visit| visit.group_id == group.id) {
            continue;
        }
        let panelist = person.panelist.as_str();
        if visits.iter().any(|visit| excludes(world, group, visit, at)) || is_listed(world, group, panelist, &visits) {
            return None;
        }
        return Some(Visitor {
            panelist: Some(panelist.to_owned()),
            replies: person.replies.clone(),
            place: Some(place),
        });
    }
    Some(Visitor::default())
}

/// Somebody of the list of those who are to be asked again, each once.
fn recontact(world: &World, group: &TargetGroup, rng: &mut Rng) -> Option<Visitor> {
    let list = file_job::ids(world, &group.id, List::Recontacts)?;
    let id = list.iter().nth(rng.below(list.len() as u64) as usize)?.to_uppercase();
    let before = world.sessions.get(&id);
    let panelist = before.map_or_else(|| panelist_of(world.settings.seed, &id), |session| session.panelist.clone());
    if world.sessions_of(group).any(|session| session.panelist == panelist) {
        return None;
    }
    let replies = before.map(|session| session.replies.clone()).unwrap_or_default();
    Some(Visitor { panelist: Some(panelist), replies, place: None })
}

/// Whether a group keeps out who has been this respondent.
fn excludes(world: &World, group: &TargetGroup, visit: &Session, at: Timestamp) -> bool {
    let together =
        |one: &super::exclusion::ExclusionGroup| one.groups.contains(&group.id) && one.groups.contains(&visit.group_id);
    if (group.project_exclusion && visit.project_id == group.project_id)
        || world.exclusion_groups.values().any(together)
        || is_locked_out(world, group, visit, at)
    {
        return true;
    }
    let activity = group.kept.get("respondent_activity_exclusions").and_then(Value::as_array);
    activity.into_iter().flatten().any(|rule| {
        let part = |name: &str| rule.get(name).and_then(Value::as_str);
        let concerned = if part("type") == Some("project") { &visit.project_id } else { &visit.group_id };
        part("id") == Some(concerned.as_str()) && visit.entered_at.duration_until(at) <= period(part("duration"))
    })
}

/// Whether a group's lockout keeps out who has been this respondent: by its own industry, or by the one that the
/// lockout is named after.
fn is_locked_out(world: &World, group: &TargetGroup, visit: &Session, at: Timestamp) -> bool {
    let (industry, days) = match group.industry_lockout.as_str() {
        "industry_7_days" => (group.industry.as_str(), 7),
        "industry_30_days" => (group.industry.as_str(), 30),
        named if INDUSTRIES.iter().any(|(code, _)| *code == named) => (named, 30),
        _ => return false,
    };
    let visited = world.groups.get(&visit.group_id).map(|visited| visited.industry.as_str());
    visited == Some(industry) && visit.entered_at.duration_until(at) <= SignedDuration::from_hours(24 * days)
}

/// How long an exclusion looks back.
fn period(text: Option<&str>) -> SignedDuration {
    let span: Option<Span> = text.and_then(|text| text.parse().ok());
    let days = span.and_then(|span| {
        let whole = f64::from(span.get_years()) * 365.0 + f64::from(span.get_months()) * 30.0;
        let rest = Span::new().weeks(span.get_weeks()).days(span.get_days());
        Some(whole + rest.total((Unit::Day, SpanRelativeTo::days_are_24_hours())).ok()?)
    });
    SignedDuration::try_from_secs_f64(days.unwrap_or(90.0) * 86_400.0).unwrap_or(SignedDuration::MAX)
}

/// Whether a person stands in one of the group's lists of those to leave out.
fn is_listed(world: &World, group: &TargetGroup, panelist: &str, visits: &[&Session]) -> bool {
    let has = |list, id: &str| file_job::ids(world, &group.id, list).is_some_and(|ids| ids.contains(id));
    has(List::ExcludedGuids, panelist) || visits.iter().any(|visit| has(List::ExcludedRsids, &visit.rid.to_lowercase()))
}
