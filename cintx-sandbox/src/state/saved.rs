//! The state as JSON, for files and over HTTP: what the derived forms cannot
//! say by themselves, such as shared values and maps whose keys are no text.

use super::World;
use crate::sim::clock::Clock;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Says which form a saved state has; raised when the form changes.
const FORMAT: &str = "cintx-sandbox-state-2";

/// A saved state with its form.
#[derive(Deserialize)]
struct Saved<W> {
    format: String,
    world: W,
}

/// Writes the state.
pub(crate) fn write(world: &World) -> Result<Vec<u8>, String> {
    #[derive(Serialize)]
    struct Form<'w> {
        format: &'static str,
        world: &'w World,
    }
    serde_json::to_vec(&Form { format: FORMAT, world }).map_err(|error| error.to_string())
}

/// Reads a state that [`write`] has written.
pub(crate) fn read(text: &[u8]) -> Result<World, String> {
    let form: Saved<serde::de::IgnoredAny> =
        serde_json::from_slice(text).map_err(|error| format!("not a saved state: {error}"))?;
    if form.format != FORMAT {
        return Err(format!("format is {}; {FORMAT} is allowed", form.format));
    }
    let saved: Saved<World> = serde_json::from_slice(text).map_err(|error| format!("not a saved state: {error}"))?;
    Ok(saved.world)
}

/// A text of the program's own. Named, so that it is not taken for a borrowed
/// one when a state is read.
pub(crate) type Word = &'static str;

/// So many different words may come from saved states.
const MAX_WORDS: usize = 1_000;

/// Reads a word. Each is kept for good, once, however often it is read.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());
    let text = String::deserialize(deserializer)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(text.as_str()) {
        return Ok(word);
    }
    if known.len() >= MAX_WORDS || text.len() > 200 {
        return Err(D::Error::custom("a word that this sandbox does not use"));
    }
    let word: Word = text.leak();
    known.insert(word);
    Ok(word)
}

/// Headers, whose names are words.
pub(crate) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Word, String)>, D::Error> {
    #[derive(Deserialize)]
    struct Header(#[serde(deserialize_with = "word")] Word, String);
    Ok(Vec::<Header>::deserialize(deserializer)?.into_iter().map(|Header(name, value)| (name, value)).collect())
}

/// Values as the text that they are written in.
pub(crate) mod text {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;
    use std::fmt::Display;
    use std::str::FromStr;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// When something became a complete, and at which price.
pub(crate) mod completed {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use jiff::Timestamp;
    use rust_decimal::Decimal;
    use serde::de::Error as _;

    type Completed = Option<(Timestamp, Decimal)>;

    pub(crate) fn serialize<S: Serializer>(value: &Completed, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(|(at, price)| (at, price.to_string())).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Completed, D::Error> {
        let read = |(at, price): (Timestamp, String)| Ok((at, price.parse().map_err(D::Error::custom)?));
        Option::<(Timestamp, String)>::deserialize(deserializer)?.map(read).transpose()
    }
}

/// Values that several share.
pub(crate) mod shared {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// Files, as hexadecimal text.
pub(crate) mod bytes {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;
    use std::fmt::Write;

    pub(crate) fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * value.len());
        for byte in value {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, T: From<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
        bytes.map(T::from).ok_or_else(|| D::Error::custom("a file is written in hexadecimal digits"))
    }
}

/// Maps as lists of pairs, where keys are no text.
pub(crate) mod pairs {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<'m, M, K, V, S>(map: &'m M, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'m M: IntoIterator<Item = (&'m K, &'m V)>,
        K: Serialize + 'm,
        V: Serialize + 'm,
        S: Serializer,
    {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, M, K, V, D>(deserializer: D) -> Result<M, D::Error>
    where
        M: FromIterator<(K, V)>,
        K: Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// The clock as the moment that it shows.
pub(crate) mod clock {
    use super::{Clock, Deserialize, Deserializer, Serialize, Serializer};
    use jiff::Timestamp;

    pub(crate) fn serialize<S: Serializer>(clock: &Clock, serializer: S) -> Result<S::Ok, S::Error> {
        clock.now().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Clock, D::Error> {
        Timestamp::deserialize(deserializer).map(|now| Clock::Standing { now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;
    use crate::state::Settings;
    use crate::state::target_group::TargetGroup;

    #[test]
    fn fractions_are_kept_to_the_last_bit() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut world = World::new(Settings::default(), Clock::Standing { now });
        let mut rng = Rng::new(1);
        for at in 0..1_000 {
            let id = format!("{at:04}");
            let group = TargetGroup::new(id.clone(), id, "project".into(), now, (now, now));
            assert!(world.add_group(TargetGroup { credit: rng.unit() / 3.0, ..group }));
        }
        let again = read(&write(&world).unwrap()).unwrap();
        let bits = |world: &World| world.groups.values().map(|group| group.credit.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again), bits(&world));
    }
}
