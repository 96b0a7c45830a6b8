//! Checks for the string formats that the documents name and JSON Schema lacks,
//! and for those where the house rule is narrower than the validator's.

use jsonschema::ValidationOptions;

/// Adds this project's formats to a validator's options.
pub(crate) fn with_formats(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    options
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_format("ulid", is_ulid)
        .with_format("uuid", is_uuid)
        .with_format("date-time", is_date_time)
        .with_format("duration", is_duration)
}

/// 26 characters of Crockford's alphabet, not above the greatest 128-bit value.
pub(crate) fn is_ulid(text: &str) -> bool {
    text.len() == 26
        && text.starts_with(|first: char| ('0'..='7').contains(&first))
        && text.chars().all(|c| c.is_ascii_alphanumeric() && !matches!(c.to_ascii_uppercase(), 'I' | 'L' | 'O' | 'U'))
}

/// The hyphenated form only, as JSON Schema has it.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// RFC 3339 with an offset; a full date and a full time.
pub(crate) fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[13] == b':'
        && bytes[16] == b':';
    shaped && text.parse::<jiff::Timestamp>().is_ok()
}

/// ISO 8601 durations: at least one part, no sign, no decimals.
pub(crate) fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return false,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    let date = parts(date, "YMWD");
    let time = parts(time, "HMS");
    matches!((date, time), (Some(d), Some(t)) if d + t > 0)
}

/// How many `<digits><unit>` parts there are, units in the order given.
fn parts(text: &str, units: &str) -> Option<usize> {
    let mut left = units;
    let mut digits = 0;
    let mut count = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            continue;
        }
        let at = left.find(c)?;
        if digits == 0 {
            return None;
        }
        left = &left[at + c.len_utf8()..];
        digits = 0;
        count += 1;
    }
    (digits == 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulids() {
        assert!(is_ulid("01JP0M57XAWSMNPSW5M62A035H"));
        assert!(!is_ulid("81JP0M57XAWSMNPSW5M62A035H"));
        assert!(!is_ulid("01JP0M57XAWSMNPSW5M62A035"));
        assert!(!is_ulid("01JP0M57XAWSMNPSW5M62A035L"));
        assert!(!is_ulid("é1JP0M57XAWSMNPSW5M62A03"));
    }

    #[test]
    fn date_times() {
        for good in ["2025-01-28T08:22:18.822Z", "2025-01-28T08:22:18Z", "2025-01-28T08:22:18+02:00"] {
            assert!(is_date_time(good), "{good}");
        }
        for bad in ["2025-01-28", "2025-01-28T08:22:18", "2025-02-30T08:22:18Z", "éééééééééé", ""] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }

    #[test]
    fn durations() {
        for good in ["P90D", "P1DT5H", "PT30M", "P2W", "P1Y2M3DT4H5M6S"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["P", "PT", "P1DT", "90D", "P1H", "PT1D", "PD", "P1.5D", "-P1D", "P1"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
