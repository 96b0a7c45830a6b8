//! Faults as text: files for the program, bodies for the control endpoint.
//! One form for both, strict, so that a slip of the pen does not go unseen.

use super::{Effect, Fault};
use crate::reading;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// Why a text does not describe faults.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// It is neither TOML nor JSON of the right form.
    #[error("the faults cannot be read: {0}")]
    Unreadable(String),
    /// There is no such effect.
    #[error("no fault does {0:?}; there are: {all}", all = EFFECTS.join(", "))]
    UnknownEffect(String),
    /// The effect needs a value that is missing.
    #[error("{effect:?} needs {needs}")]
    Incomplete {
        /// The effect.
        effect: String,
        /// The name of the missing value.
        needs: &'static str,
    },
    /// The status is not one that an error can have.
    #[error("{0} is not a status between 400 and 599")]
    Status(u16),
    /// An answer cannot be of this media type.
    #[error("media is {0:?}; a type such as text/html is needed")]
    Media(String),
    /// The chance is none.
    #[error("chance is {0}; a number from 0 to 1 is needed")]
    Chance(f64),
}

/// What `do` can say.
const EFFECTS: &[&str] = &[
    "delay",
    "drop-before-applying",
    "drop-after-applying",
    "reset-before-applying",
    "reset-after-applying",
    "truncate",
    "rate-limited",
    "status",
    "gateway-page",
    "content-type",
    "expire-token",
    "stale-read",
    "apply-twice",
    "deliver-late",
    "drift",
    "unknown-fields",
    "unknown-values",
    "deliver-twice",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fault: Vec<Spec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(default = "anything")]
    on: String,
    #[serde(default = "wait", rename = "do")]
    effect: String,
    status: Option<u16>,
    retry_after: Option<u32>,
    bytes: Option<usize>,
    media: Option<String>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    delay_before_ms: u64,
    times: Option<u64>,
    #[serde(default)]
    after: u64,
    chance: Option<f64>,
}

fn anything() -> String {
    "*".into()
}

fn wait() -> String {
    Effect::Wait.name().into()
}

/// Reads TOML or JSON: a table `fault`, a list of faults, or one fault.
pub(super) fn read(text: &str) -> Result<Vec<Fault>, FaultError> {
    let unreadable = |error: &dyn std::fmt::Display| FaultError::Unreadable(reading::in_words(&error.to_string()));
    let json = text.trim_start().starts_with(['{', '[']) && !text.trim_start().starts_with("[[");
    let specs = if json {
        // By their form, so that what is wrong in one can be named.
        let body = serde_json::from_str::<Value>(text).map_err(|error| unreadable(&error))?;
        let read = if body.is_array() {
            reading::from::<Vec<Spec>>(body)
        } else if body.get("fault").is_some() {
            reading::from::<File>(body).map(|file| file.fault)
        } else {
            reading::from::<Spec>(body).map(|one| vec![one])
        };
        read.map_err(|error| unreadable(&error))?
    } else {
        toml::from_str::<File>(text).map_err(|error| unreadable(&error))?.fault
    };
    specs.into_iter().map(fault).collect()
}

fn fault(spec: Spec) -> Result<Fault, FaultError> {
    let needs = |needs| FaultError::Incomplete { effect: spec.effect.clone(), needs };
    let status = |usual: Option<u16>| {
        let status = spec.status.or(usual).ok_or_else(|| needs("status"))?;
        if (400..600).contains(&status) { Ok(status) } else { Err(FaultError::Status(status)) }
    };
    let effect = match spec.effect.as_str() {
        "delay" => Effect::Wait,
        "drop-before-applying" => Effect::DropBefore,
        "drop-after-applying" => Effect::DropAfter,
        "reset-before-applying" => Effect::ResetBefore,
        "reset-after-applying" => Effect::ResetAfter,
        "truncate" => Effect::Truncate(spec.bytes.ok_or_else(|| needs("bytes"))?),
        "rate-limited" => Effect::Status { status: 429, retry_after: Some(spec.retry_after.unwrap_or(1)) },
        "status" => Effect::Status { status: status(None)?, retry_after: spec.retry_after },
        "gateway-page" => Effect::GatewayPage(status(Some(502))?),
        "content-type" => {
            let media = spec.media.clone().ok_or_else(|| needs("media"))?;
            if media.is_empty() || HeaderValue::try_from(&media).is_err() {
                return Err(FaultError::Media(media));
            }
            Effect::ContentType(media)
        }
        "expire-token" => Effect::ExpireToken,
        "stale-read" => Effect::StaleRead,
        "apply-twice" => Effect::ApplyTwice,
        "deliver-late" => Effect::DeliverLate,
        "drift" => Effect::Drift { fields: true, values: true },
        "unknown-fields" => Effect::Drift { fields: true, values: false },
        "unknown-values" => Effect::Drift { fields: false, values: true },
        "deliver-twice" => Effect::DeliverTwice,
        other => return Err(FaultError::UnknownEffect(other.to_owned())),
    };
    let chance = spec.chance.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&chance) {
        return Err(FaultError::Chance(chance));
    }
    let mut fault = Fault::on(spec.on)
        .delay(Duration::from_millis(spec.delay_ms))
        .delay_before_applying(Duration::from_millis(spec.delay_before_ms))
        .after(spec.after)
        .chance(chance);
    fault.times = spec.times;
    fault.effect = effect;
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = r#"
            [[fault]]
            on = "create_project"
            do = "drop-after-applying"
            times = 1

            [[fault]]
            do = "rate-limited"
            retry_after = 3
            chance = 0.25
            delay_ms = 20
        "#;
        let json = r#"[
            { "on": "create_project", "do": "drop-after-applying", "times": 1 },
            { "do": "rate-limited", "retry_after": 3, "chance": 0.25, "delay_ms": 20 }
        ]"#;
        let faults = read(toml).unwrap();
        assert_eq!(faults, read(json).unwrap());
        assert_eq!(faults[0], Fault::on("create_project").drop_after_applying().times(1));
        let storm = Fault::everywhere().rate_limited(3).chance(0.25).delay(Duration::from_millis(20));
        assert_eq!(faults[1], storm);
        assert_eq!(read(r#"{ "on": "x", "do": "drift" }"#).unwrap(), [Fault::on("x").drift()]);
        assert_eq!(read("{ \"fault\": [] }").unwrap(), []);
    }

    #[test]
    fn slips_are_seen() {
        assert!(matches!(read("[[fault]]\ndo = \"dorp\""), Err(FaultError::UnknownEffect(_))));
        assert!(matches!(read("[[fault]]\nwhen = 1"), Err(FaultError::Unreadable(_))));
        assert!(matches!(read("[[fault]]\ndo = \"truncate\""), Err(FaultError::Incomplete { .. })));
        assert!(matches!(read("[[fault]]\ndo = \"status\"\nstatus = 200"), Err(FaultError::Status(200))));
        for media in ["", "a\\nb"] {
            let error = read(&format!("[[fault]]\ndo = \"content-type\"\nmedia = \"{media}\"")).unwrap_err();
            assert!(matches!(error, FaultError::Media(_)), "{error}");
        }
        for chance in ["7", "-0.5", "nan"] {
            let error = read(&format!("[[fault]]\nchance = {chance}")).unwrap_err();
            assert!(matches!(error, FaultError::Chance(_)), "{error}");
        }
        let times = read(r#"[{ "times": -1 }]"#).unwrap_err().to_string();
        assert!(times.contains("times: ") && times.contains("a whole number from 0 on"), "{times}");
        assert!(matches!(read("{"), Err(FaultError::Unreadable(_))));
        for slip in [r#"{ "fault": [{ "delay": 5 }] }"#, r#"[{ "delay": 5 }]"#, r#"{ "delay": 5 }"#] {
            let error = read(slip).unwrap_err().to_string();
            assert!(error.contains("`delay`") && error.contains("`delay_ms`"), "{error}");
        }
    }

    #[test]
    fn every_effect_that_is_told_is_there() {
        let told = read(r#"{ "do": "explode" }"#).unwrap_err().to_string();
        for effect in EFFECTS {
            let spec = format!(r#"{{ "do": "{effect}", "bytes": 3, "status": 503, "media": "text/html" }}"#);
            assert!(read(&spec).is_ok() && told.contains(effect), "{effect}: {told}");
        }
    }
}
