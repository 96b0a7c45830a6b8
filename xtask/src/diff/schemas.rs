//! What changed between two schemas, by the role in which they are used.
//! What is sent becomes a strict Rust type, what comes back is read with tolerance: the same change breaks differently.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reach::Reach;
use super::rename::{self, Candidate};
use super::view::{View, component, is_nothing_but_a_reference};
use super::{Change, Effect, Policy};
use crate::regen::schemas;

/// Which way a schema goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Sent,
    Received,
}
use Role::{Received, Sent};

/// Where a value stands: what null and another spelling mean there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Property { id: bool },
    Element,
    Whole,
}

/// What a change is about, and whom it reaches.
#[derive(Clone, Debug)]
pub(super) struct Place {
    subject: String,
    component: Option<String>,
    operation: String,
}

impl Place {
    pub(super) fn operation(id: &str, what: &str) -> Self {
        let subject = if what.is_empty() { id.to_owned() } else { format!("{id}, {what}") };
        Self { subject, component: None, operation: id.to_owned() }
    }

    /// What several operations have alike.
    pub(super) fn everywhere(subject: &str, id: &str) -> Self {
        Self { subject: subject.to_owned(), component: None, operation: id.to_owned() }
    }

    fn component(&self, name: &str) -> Self {
        Self { subject: name.to_owned(), component: Some(name.to_owned()), ..self.clone() }
    }

    fn inner(&self, what: &str) -> Self {
        Self { subject: format!("{}{what}", self.subject), ..self.clone() }
    }
}

/// The changes that were found so far, and the documents they are between.
pub(super) struct Changes<'a> {
    old: &'a Value,
    new: &'a Value,
    /// By subject and message, with the component that it is about.
    found: BTreeMap<(String, String), (Change, Option<String>)>,
    seen: BTreeSet<(String, String, Role)>,
    /// Names of which one took the other's place, and where that is known.
    settled: BTreeMap<(String, String), BTreeSet<String>>,
}

const NULL_NOW: &str = "may be null now";
const NO_LONGER_NULL: &str = "may no longer be null";

pub(super) const IDS_EITHER_WAY: &str = "ids are read either way";

const BREAKS: &[Effect] = &[Effect::Compilation];
const BREAKS_BOTH: &[Effect] = &[Effect::Compilation, Effect::Decoding];
const OTHERWISE: &[Effect] = &[Effect::Behaviour];
const ADDS: &[Effect] = &[Effect::Additive];

impl<'a> Changes<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, found: BTreeMap::new(), seen: BTreeSet::new(), settled: BTreeMap::new() }
    }

    /// The same with the renames that an earlier pass found: what is certain in one place is a reason in another.
    pub(super) fn again(self) -> Self {
        Self { settled: self.settled, ..Self::new(self.old, self.new) }
    }

    /// Remembers that one name took the place of another.
    pub(super) fn settle(&mut self, old: &str, new: &str, place: &Place) {
        self.settled.entry((old.to_owned(), new.to_owned())).or_default().insert(place.subject.clone());
    }

    /// The evidence that one name replaces another in a place.
    pub(super) fn renamed(&self, old: &str, candidate: &Candidate<'_>, alone: bool, place: &Place) -> Vec<String> {
        let known = self.settled.get(&(old.to_owned(), candidate.name.to_owned()));
        let elsewhere = known.into_iter().flatten().any(|subject| *subject != place.subject);
        rename::evidence(old, candidate, alone, elsewhere)
    }

    pub(super) fn into_list(self) -> Vec<Change> {
        let mut uses = BTreeMap::new();
        if self.found.values().any(|(_, component)| component.is_some()) {
            Reach::of(self.old).uses(&mut uses);
            Reach::of(self.new).uses(&mut uses);
        }
        let with_operations = |(mut change, component): (Change, Option<String>)| {
            change.operations.extend(component.and_then(|name| uses.get(&name)).into_iter().flatten().cloned());
            change
        };
        let mut list: Vec<Change> = self.found.into_values().map(with_operations).collect();
        list.sort_by(|a, b| (a.worst(), &a.subject, &a.what).cmp(&(b.worst(), &b.subject, &b.what)));
        list
    }

    pub(super) fn report(&mut self, place: &Place, what: impl Into<String>, effects: &[Effect], policy: Policy) {
        self.report_with(place, what, effects, policy, Vec::new());
    }

    pub(super) fn report_with(
        &mut self,
        place: &Place,
        what: impl Into<String>,
        effects: &[Effect],
        policy: Policy,
        evidence: Vec<String>,
    ) {
        let what = what.into();
        let (change, _) = self.found.entry((place.subject.clone(), what.clone())).or_insert_with(|| {
            let (effects, operations) = (BTreeSet::new(), BTreeSet::new());
            let change = Change { subject: place.subject.clone(), what, effects, policy, evidence, operations };
            (change, place.component.clone())
        });
        change.effects.extend(effects);
        if change.effects.len() > 1 {
            change.effects.remove(&Effect::Additive);
        }
        change.policy = change.policy.min(policy);
        // Of a component, the operations that reach it are looked up in the end.
        if place.component.is_none() && !place.operation.is_empty() {
            change.operations.insert(place.operation.clone());
        }
    }

    /// Whether two schemas are the same in a role.
    pub(super) fn same(&self, old: &'a Value, new: &'a Value, role: Role) -> bool {
        let (old_view, new_view) = (View::of(self.old, old), View::of(self.new, new));
        // A date is no other text; how wide a number is says nothing of what it counts.
        let format = |view: &View<'a>| view.words.get("format").copied().filter(|_| view.kind == Some("string"));
        if old_view.describe() != new_view.describe() || format(&old_view) != format(&new_view) {
            return false;
        }
        let mut scratch = Self::new(self.old, self.new);
        scratch.compare(old, new, &Place::operation("", ""), role, Slot::Property { id: false });
        // Whether it may be null is the place's affair, not the type's.
        let harmless = |change: &Change| {
            change.worst() == Effect::Additive || [NULL_NOW, NO_LONGER_NULL].contains(&change.what.as_str())
        };
        scratch.found.values().all(|(change, _)| harmless(change))
    }

    /// Compares what stands in one place.
    pub(super) fn compare(&mut self, old: &'a Value, new: &'a Value, place: &Place, role: Role, slot: Slot) {
        let (old_view, new_view) = (View::of(self.old, old), View::of(self.new, new));
        self.nullable(&old_view, &new_view, place, role, slot);
        let names = (component(old), component(new));
        let named = old_view.has_a_name() && new_view.has_a_name();
        if named && names.0 != names.1 {
            let spelt = |name: Option<&str>| name.map_or("a type of its own".to_owned(), |name| format!("`{name}`"));
            self.report(
                place,
                format!("the type is {} and was {}", spelt(names.1), spelt(names.0)),
                BREAKS,
                Policy::Unlisted,
            );
        }
        match names {
            (Some(old_name), Some(new_name)) => {
                if self.seen.insert((old_name.to_owned(), new_name.to_owned(), role)) {
                    let itself = |document: &'a Value, name: &str, schema: &'a Value| {
                        View::of(document, schemas(document).get(name).unwrap_or(schema))
                    };
                    let views = (itself(self.old, old_name, old), itself(self.new, new_name, new));
                    self.inside(&views.0, &views.1, &place.component(new_name), role, slot);
                }
                if !(is_nothing_but_a_reference(old) && is_nothing_but_a_reference(new)) {
                    self.rules(&old_view, &new_view, place, role);
                }
            }
            _ => self.inside(&old_view, &new_view, place, role, slot),
        }
    }

    fn nullable(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role, slot: Slot) {
        let (effects, policy) = match (old.nullable, new.nullable, role, slot) {
            (old, new, ..) if old == new => return,
            (_, true, Sent, _) => (BREAKS, Policy::Unlisted),
            (_, false, Sent, _) => (BREAKS, Policy::Breaking),
            (_, _, Received, Slot::Property { .. }) => (ADDS, Policy::Unlisted),
            (_, true, Received, _) => (BREAKS_BOTH, Policy::Breaking),
            (_, false, Received, _) => (BREAKS, Policy::Unlisted),
        };
        let what = if new.nullable { NULL_NOW } else { NO_LONGER_NULL };
        self.report(place, what, effects, policy);
    }

    fn inside(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role, slot: Slot) {
        let (was, is) = (old.describe(), new.describe());
        if was != is {
            return self.another_kind(old, new, place, role, slot);
        }
        self.values(old, new, place, role);
        if !old.branches.is_empty() || !new.branches.is_empty() {
            self.union(old, new, place, role);
        }
        // What stands beside a union holds for each of its branches.
        self.properties(old, new, place, role);
        if let (Some(old), Some(new)) = (old.items, new.items) {
            self.compare(old, new, &place.inner("[]"), role, slot_of_items(slot));
        }
        match (old.additional.filter(|schema| schema.is_object()), new.additional.filter(|schema| schema.is_object())) {
            (Some(old), Some(new)) => self.compare(old, new, &place.inner("{}"), role, Slot::Element),
            (None, None) => {
                let closed = |view: &View<'_>| view.additional == Some(&Value::Bool(false));
                if closed(old) != closed(new) && role == Sent {
                    let effects = if closed(new) { OTHERWISE } else { ADDS };
                    self.report(place, "takes other properties than before", effects, Policy::Unlisted);
                }
            }
            // A map of known values beside properties is not generated; alone it is another type.
            _ if old.properties.is_empty() => {
                self.report(place, "is a map of other values", decoded(role), Policy::Breaking);
            }
            _ => {}
        }
        self.rules(old, new, place, role);
    }

    fn another_kind(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role, slot: Slot) {
        let (was, is) = (old.describe(), new.describe());
        let what = format!("is {is} and was {was}");
        let kinds = (old.kind.unwrap_or_default(), new.kind.unwrap_or_default());
        let id = matches!(slot, Slot::Property { id: true })
            && matches!(kinds, ("string", "integer") | ("integer", "string"))
            && old.values.is_none()
            && new.values.is_none();
        if role == Received && id {
            return self.report(place, format!("{what}; {IDS_EITHER_WAY}"), ADDS, Policy::Breaking);
        }
        let reads_the_same = matches!(kinds, ("string", "string") | ("number", "integer"));
        let effects = if reads_the_same { BREAKS } else { decoded(role) };
        self.report(place, what, effects, Policy::Breaking);
    }

    /// The values of enums.
    fn values(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role) {
        let spelt = |values: &[&Value]| -> Vec<String> {
            values.iter().filter(|value| !value.is_null()).map(ToString::to_string).collect()
        };
        match (&old.values, &new.values) {
            (None, None) => {}
            (Some(before), Some(after)) => {
                let (before, after) = (spelt(before), spelt(after));
                let gone: Vec<&String> = before.iter().filter(|value| !after.contains(value)).collect();
                let more: Vec<&String> = after.iter().filter(|value| !before.contains(value)).collect();
                for value in gone {
                    let effects = match (old.is_open_enum(), role) {
                        (true, _) => BREAKS,
                        (false, Sent) => OTHERWISE,
                        (false, Received) => ADDS,
                    };
                    self.report(place, format!("the value {value} is gone"), effects, Policy::Breaking);
                }
                for value in more {
                    self.report(place, format!("the value {value} is new"), ADDS, Policy::Additive);
                }
            }
            (before, _) => {
                let (what, effects, policy) = match (before, role) {
                    (None, Sent) => ("takes only the values of a list now", OTHERWISE, Policy::Breaking),
                    (None, Received) => ("has only the values of a list now", ADDS, Policy::Unlisted),
                    (Some(_), _) => ("takes any value now", ADDS, Policy::Unlisted),
                };
                self.report(place, what, effects, policy);
            }
        }
    }

    fn properties(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role) {
        let gone: Vec<&'a str> =
            old.properties.keys().filter(|name| !new.properties.contains_key(*name)).copied().collect();
        let added: Vec<&'a str> =
            new.properties.keys().filter(|name| !old.properties.contains_key(*name)).copied().collect();
        let alone = gone.len() == 1 && added.len() == 1;
        let judge = |gone: &'a str, added: &'a str| {
            let worth_it = alone || !rename::shared_words(gone, added).is_empty();
            if !worth_it {
                return Vec::new();
            }
            let candidate = Candidate {
                name: added,
                same_type: self.same(old.properties[gone], new.properties[added], role),
                same_duty: old.required.contains(gone) == new.required.contains(added),
            };
            self.renamed(gone, &candidate, alone, place)
        };
        // What stands inside of something new was moved there.
        let is_deeper = |name: &str| added.iter().any(|added| self.has_inside(new.properties[added], name));
        let gone_from_here: Vec<&'a str> = gone.iter().filter(|name| !is_deeper(name)).copied().collect();
        let renamed = rename::pairs(&gone_from_here, &added, &judge);
        for (gone, added, evidence) in &renamed {
            self.settle(gone, added, place);
            self.report_with(
                place,
                format!("`{gone}` is called `{added}` now"),
                BREAKS,
                Policy::Breaking,
                evidence.clone(),
            );
        }
        for name in gone.iter().filter(|name| !renamed.iter().any(|(gone, ..)| gone == *name)) {
            self.report(&place.inner(&format!(".{name}")), "is gone", BREAKS, Policy::Breaking);
        }
        for name in added.iter().filter(|name| !renamed.iter().any(|(_, added, _)| added == *name)) {
            let place = place.inner(&format!(".{name}"));
            if role == Sent && new.required.contains(name) {
                self.report(&place, "is new and required", BREAKS, Policy::Breaking);
            } else {
                self.report(&place, "is new", ADDS, Policy::Additive);
            }
        }
        for (name, schema) in &old.properties {
            let Some(other) = new.properties.get(name) else { continue };
            let place = place.inner(&format!(".{name}"));
            self.duty(old.required.contains(name), new.required.contains(name), &place, role);
            let id = name.split(['_', '-']).next_back().is_some_and(|word| word == "id" || word == "ids");
            self.compare(schema, other, &place, role, Slot::Property { id });
        }
    }

    /// Whether a new value, or one of a new list's, has a property of this name.
    fn has_inside(&self, schema: &'a Value, name: &str) -> bool {
        let view = View::of(self.new, schema);
        let inside = |view: &View<'a>| {
            let of_branch = |branch: &&Value| View::of(self.new, branch).properties.contains_key(name);
            view.properties.contains_key(name) || view.branches.iter().any(of_branch)
        };
        inside(&view) || view.items.is_some_and(|items| inside(&View::of(self.new, items)))
    }

    fn duty(&mut self, was: bool, is: bool, place: &Place, role: Role) {
        match (was, is, role) {
            (false, true, Sent) => self.report(place, "is required now", BREAKS, Policy::Breaking),
            (true, false, Sent) => self.report(place, "is no longer required", BREAKS, Policy::Unlisted),
            (false, true, Received) => self.report(place, "is always there now", ADDS, Policy::Unlisted),
            (true, false, Received) => self.report(place, "may be missing now", OTHERWISE, Policy::Unlisted),
            _ => {}
        }
    }

    fn union(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role) {
        match (old.tag(self.old), new.tag(self.new)) {
            (Some((old_tag, old_values)), Some((new_tag, new_values))) if old_tag == new_tag => {
                for (value, branch) in old_values.iter().zip(&old.branches) {
                    let other = new_values.iter().position(|other| other == value).and_then(|at| new.branches.get(at));
                    let place = place.inner(&format!("({old_tag}: {value})"));
                    match other {
                        Some(other) => {
                            let (old, new) = (old.branch(self.old, branch), new.branch(self.new, other));
                            self.inside(&old, &new, &place, role, Slot::Whole);
                        }
                        None => self.report(&place, "is gone", BREAKS, Policy::Breaking),
                    }
                }
                for value in new_values.iter().filter(|value| !old_values.contains(value)) {
                    self.report(&place.inner(&format!("({old_tag}: {value})")), "is new", ADDS, Policy::Additive);
                }
            }
            (None, None) => self.untagged(old, new, place, role),
            (was, is) => {
                let spelt =
                    |tag: Option<(&str, Vec<&str>)>| tag.map_or("nothing".to_owned(), |(name, _)| format!("`{name}`"));
                let what = format!("{} tells its branches apart, where {} did", spelt(is), spelt(was));
                self.report(place, what, decoded(role), Policy::Breaking);
            }
        }
    }

    /// Branches without a tag are one type that holds them all.
    fn untagged(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role) {
        let name = |branch: &'a Value, at: usize| component(branch).map_or_else(|| at.to_string(), str::to_owned);
        let named = |branches: &[&'a Value]| -> BTreeMap<String, &'a Value> {
            branches.iter().enumerate().map(|(at, branch)| (name(branch, at), *branch)).collect()
        };
        let (before, after) = (named(&old.branches), named(&new.branches));
        for (name, branch) in &before {
            let place = place.inner(&format!("(branch {name})"));
            match after.get(name) {
                Some(other) => {
                    let (old, new) = (old.branch(self.old, branch), new.branch(self.new, other));
                    self.inside(&old, &new, &place, role, Slot::Whole);
                }
                None => self.report(&place, "is gone", BREAKS, Policy::Breaking),
            }
        }
        let kinds: BTreeSet<String> = old.branches.iter().map(|branch| View::of(self.old, branch).describe()).collect();
        for (name, branch) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            let alike = kinds.contains(&View::of(self.new, branch).describe());
            let effects = if alike { ADDS } else { decoded(role) };
            self.report(&place.inner(&format!("(branch {name})")), "is new", effects, Policy::Unlisted);
        }
        let always = |document: &'a Value, view: &View<'a>| {
            let mut sets = view.branches.iter().map(|branch| View::of(document, branch).required);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |all, set| all.intersection(&set).copied().collect())
        };
        if role == Sent && always(self.old, old) != always(self.new, new) {
            self.report(place, "other properties are required in all of its branches", BREAKS, Policy::Breaking);
        }
    }

    /// What is checked beside the type.
    fn rules(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, role: Role) {
        if old.presence != new.presence {
            let effects = if role == Sent { OTHERWISE } else { ADDS };
            let what = "which properties must be there together has changed";
            self.report(place, what, effects, new_rule(true, role));
        }
        let keys: BTreeSet<&str> = old.limits.keys().chain(new.limits.keys()).copied().collect();
        for key in keys {
            let (was, is) = (old.limits.get(key), new.limits.get(key));
            if was == is {
                continue;
            }
            let number = |value: Option<&&Value>| value.and_then(|value| value.as_f64());
            let tighter = match (number(was), number(is)) {
                (Some(was), Some(is)) if key.starts_with("min") => is > was,
                (Some(was), Some(is)) if key.starts_with("max") => is < was,
                // What is a multiple of the old step is one of the new.
                (Some(was), Some(is)) if key == "multipleOf" => ((was / is).round() - was / is).abs() > 1e-9,
                (_, None) if is.is_none() => false,
                (_, _) => is != Some(&&Value::Bool(false)),
            };
            let spelt = |value: Option<&&Value>| value.map_or("none".to_owned(), ToString::to_string);
            let effects = if tighter && role == Sent { OTHERWISE } else { ADDS };
            self.report(
                place,
                format!("{key} is {} and was {}", spelt(is), spelt(was)),
                effects,
                new_rule(tighter, role),
            );
        }
        for key in ["default", "format", "pattern", "readOnly", "writeOnly"] {
            let (was, is) = (old.words.get(key), new.words.get(key));
            if was == is {
                continue;
            }
            let binary = |value: Option<&&Value>| value.is_some_and(|value| *value == "binary");
            let effects = match (key, role) {
                ("format", _) if binary(was) != binary(is) => decoded(role),
                ("pattern", Sent) if is.is_none() => ADDS,
                // What only comes back should not be sent; whether it is, the client does not ask.
                ("readOnly", Sent) if is.is_none_or(|is| *is != true) => ADDS,
                ("writeOnly", Sent) => ADDS,
                (_, Sent) => OTHERWISE,
                (_, Received) => ADDS,
            };
            let spelt = |value: Option<&&Value>| value.map_or("none".to_owned(), |value| format!("`{value}`"));
            let policy = new_rule(["pattern", "format"].contains(&key) && is.is_some(), role);
            self.report(place, format!("{key} is {} and was {}", spelt(is), spelt(was)), effects, policy);
        }
    }

    /// Types that take another name because they go both ways now, or no longer do.
    pub(super) fn roles(&mut self) {
        let (before, after) = (Reach::of(self.old).roles(), Reach::of(self.new).roles());
        for (name, (sent, received)) in before {
            let Some((sent_now, received_now)) = after.get(name).copied() else { continue };
            let structured = schemas(self.new).get(name).is_some_and(|schema| {
                let view = View::of(self.new, schema);
                view.has_a_name() && !view.is_open_enum()
            });
            let (both, both_now) = (sent && received, sent_now && received_now);
            if structured && both != both_now && sent && sent_now {
                let what = match both_now {
                    true => format!("what is sent is called `{name}Input` now: `{name}` comes back, too"),
                    false => format!("what is sent is called `{name}` now: it no longer comes back"),
                };
                let place = Place::operation("", "").component(name);
                self.report(&place, what, BREAKS, Policy::Unlisted);
            }
        }
    }
}

/// A type that is another one: what is sent does not compile, what comes back is not read either.
fn decoded(role: Role) -> &'static [Effect] {
    match role {
        Sent => BREAKS,
        Received => BREAKS_BOTH,
    }
}

/// A rule that what is sent did not have to keep before is breaking by the policy; it says nothing of what comes back.
fn new_rule(is_one: bool, role: Role) -> Policy {
    if is_one && role == Sent { Policy::Breaking } else { Policy::Unlisted }
}

/// The ids of a list of ids are ids.
fn slot_of_items(slot: Slot) -> Slot {
    match slot {
        Slot::Property { id: true } => slot,
        _ => Slot::Element,
    }
}
