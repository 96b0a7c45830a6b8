//! Changes to resources with an entity tag: no update is lost. When another client changed it first (412), the resource
//! is read again, the change is made again to what is there now, and both are compared field by field: only what would
//! undo another change is a conflict.

use futures_util::future::BoxFuture;
use http::StatusCode;

use crate::error::{Conflict, Error, Outcome};

/// A value of which two changes to one base can be merged: the fields that only one side changed, field by field.
pub(crate) trait ThreeWayMerge: Clone + PartialEq + Send + Sync {
    /// Says which fields of `again` would undo what `theirs` changed.
    ///
    /// `mine` is the change made to `base`, `again` the same change made to `theirs`. A field that both sides changed
    /// is in conflict if the change sets it to a value of its own, whatever was there; a field that is counted up
    /// from what is there comes out differently, and both changes are in it.
    fn conflict(base: &Self, mine: &Self, theirs: &Self, again: &Self) -> Result<(), Conflict>;

    /// Keeps in `again` each field for which `theirs` shows that `attempt`, which is in doubt, was done: the change
    /// must not be made to it twice.
    fn keep_done(again: &mut Self, attempt: &Attempt<Self>, theirs: &Self);
}

/// A write that may have been done: what was there before, and what was written.
pub(crate) struct Attempt<T> {
    pub(crate) before: T,
    pub(crate) written: T,
}

/// Implements [`ThreeWayMerge`] by the fields named: `three_way_merge!(FieldingPeriod { start, end })`.
macro_rules! three_way_merge {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::optimistic::ThreeWayMerge for $name {
            fn conflict(base: &Self, mine: &Self, theirs: &Self, again: &Self) -> Result<(), $crate::error::Conflict> {
                let mut fields = Vec::new();
                $(
                    let both = mine.$field != base.$field && theirs.$field != base.$field;
                    if both && again.$field == mine.$field && again.$field != theirs.$field {
                        fields.push(stringify!($field));
                    }
                )+
                $crate::error::Conflict::none(fields)
            }

            fn keep_done(again: &mut Self, attempt: &$crate::optimistic::Attempt<Self>, theirs: &Self) {
                $(
                    let changed = attempt.written.$field != attempt.before.$field;
                    if changed && theirs.$field == attempt.written.$field {
                        again.$field = theirs.$field.clone();
                    }
                )+
            }
        }
    };
}
pub(crate) use three_way_merge;

impl<T> Attempt<T> {
    pub(crate) fn new(before: T, written: T) -> Self {
        Self { before, written }
    }
}

impl Conflict {
    pub(crate) fn none(fields: Vec<&'static str>) -> Result<(), Self> {
        if fields.is_empty() { Ok(()) } else { Err(Self { fields }) }
    }
}

/// A value with the entity tag that it was read with.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct WithEtag<T> {
    pub(crate) value: T,
    pub(crate) etag: Option<String>,
}

/// What can be read with its tag and written under it.
pub(crate) trait Editable: Sync {
    type Value: ThreeWayMerge;
    /// Strikes out the intent of a write whose effect does not matter any more.
    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()>;
    /// Brings a value to what the API keeps of it, so that it is equal to what will be read.
    fn round(&self, _value: &mut Self::Value) {}
    /// Refuses a value before anything is sent.
    fn check(&self, value: &Self::Value) -> Result<(), Error>;
    fn read(&self) -> BoxFuture<'_, Result<WithEtag<Self::Value>, Error>>;
    /// Answers with the new tag, if the API gives one.
    fn write<'a>(
        &'a self,
        value: &'a Self::Value,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>>;
}

/// Writes of one call that were refused with 412 after an attempt of theirs that took effect, or may have.
#[derive(Default)]
pub(crate) struct Doubts {
    errors: Vec<Error>,
}

impl Doubts {
    /// Takes note of a write that was refused; answers whether an attempt of it may have taken effect.
    pub(crate) fn add(&mut self, refused: Error) -> bool {
        let in_doubt = matches!(refused.outcome(), Outcome::Unknown | Outcome::Applied);
        if in_doubt {
            self.errors.push(refused);
        }
        in_doubt
    }

    /// What the call fails with: a failure without effect says nothing of the writes before it.
    pub(crate) fn or(self, error: Error) -> Error {
        match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect => self.errors.into_iter().next().unwrap_or(error),
            Outcome::Applied | Outcome::Unknown => error,
        }
    }

    /// The same for a conflict, which keeps its words.
    pub(crate) fn or_conflict(self, conflict: Conflict) -> Error {
        match self.errors.into_iter().next() {
            Some(in_doubt) => Error::conflict_in_doubt(conflict, in_doubt),
            None => conflict.into(),
        }
    }

    /// Strikes out their intents, since what became of them does not matter any more.
    pub(crate) async fn end_intents(&self, resource: &impl Editable) {
        for intent in self.errors.iter().filter_map(|error| error.report()?.intent.as_deref()) {
            resource.strike_out(intent).await;
        }
    }

    /// What the call fails with after a later write on the same thing, which stands in the journal for these if it may
    /// have taken effect.
    pub(crate) async fn or_of_write(self, resource: &impl Editable, error: Error) -> Error {
        if matches!(error.outcome(), Outcome::Unknown | Outcome::Applied) {
            self.end_intents(resource).await;
        }
        self.or(error)
    }
}

/// How often another client may change it first. Each time it happens, another change has been written.
const MAX_ROUNDS: usize = 32;

/// Changes a resource; answers with what it is now.
pub(crate) async fn edit<E: Editable>(
    resource: &E,
    known: Option<WithEtag<E::Value>>,
    change: impl Fn(&mut E::Value),
) -> Result<WithEtag<E::Value>, Error> {
    let base = match known {
        Some(known) => known,
        None => resource.read().await?,
    };
    let changed = |value: &E::Value| {
        let mut value = value.clone();
        change(&mut value);
        resource.round(&mut value);
        value
    };
    let mine = changed(&base.value);
    let (mut before, mut value, mut etag) = (base.value.clone(), mine.clone(), base.etag);
    let (mut doubts, mut in_doubt) = (Doubts::default(), Vec::new());
    let mut more_rounds = 1..MAX_ROUNDS;
    loop {
        if let Err(error) = resource.check(&value) {
            return Err(doubts.or(error));
        }
        match resource.write(&value, etag.as_deref()).await {
            Ok(etag) => {
                doubts.end_intents(resource).await;
                return Ok(WithEtag { value, etag });
            }
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) && more_rounds.next().is_some() => {
                if doubts.add(error) {
                    in_doubt.push(Attempt::new(before, value));
                }
                let theirs = match resource.read().await {
                    Ok(theirs) => theirs,
                    Err(error) => return Err(doubts.or(error)),
                };
                // A repeated attempt may be refused because an earlier one, whose answer was lost, renewed the tag. A
                // read may have lagged behind that one, so that another write lies between.
                if in_doubt.iter().any(|attempt| attempt.written == theirs.value) {
                    doubts.end_intents(resource).await;
                    return Ok(theirs);
                }
                value = changed(&theirs.value);
                in_doubt.iter().for_each(|attempt| E::Value::keep_done(&mut value, attempt, &theirs.value));
                if !in_doubt.is_empty() && value == theirs.value {
                    doubts.end_intents(resource).await;
                    return Ok(theirs);
                }
                if let Err(conflict) = E::Value::conflict(&base.value, &mine, &theirs.value, &value) {
                    return Err(doubts.or_conflict(conflict));
                }
                (before, etag) = (theirs.value, theirs.etag);
            }
            Err(error) => return Err(doubts.or_of_write(resource, error).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Both {
        left: u8,
        right: u8,
    }
    three_way_merge!(Both { left, right });

    fn merged(change: impl Fn(&mut Both), base: Both, theirs: Both) -> Result<Both, Conflict> {
        let (mut mine, mut again) = (base.clone(), theirs.clone());
        change(&mut mine);
        change(&mut again);
        Both::conflict(&base, &mine, &theirs, &again).map(|()| again)
    }

    #[test]
    fn fields_merge_one_by_one_and_a_true_conflict_names_them() {
        let both = |left, right| Both { left, right };
        assert_eq!(merged(|it| it.left = 2, both(1, 1), both(1, 3)), Ok(both(2, 3)));
        assert_eq!(merged(|it| it.left = 2, both(1, 1), both(2, 1)), Ok(both(2, 1)), "the same change is no conflict");
        assert_eq!(merged(|it| it.left += 1, both(1, 1), both(2, 1)), Ok(both(3, 1)), "both count");
        let conflict = merged(|it| *it = both(2, 2), both(1, 1), both(3, 1)).unwrap_err();
        assert_eq!(conflict.fields(), ["left"]);
        assert_eq!(conflict.to_string(), "not written: another client changed left meanwhile");
    }
}
