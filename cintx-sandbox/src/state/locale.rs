//! Locales as the API writes them: a language, an underscore, a country.
//! And how many people there are to ask in each place.

/// Splits `eng_us` into language and country; `None` if it is not of that form.
pub(crate) fn split(locale: &str) -> Option<(&str, &str)> {
    let (language, country) = locale.split_once('_')?;
    let lower = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_lowercase());
    (lower(language, 3) && lower(country, 2)).then_some((language, country))
}

/// The country of a locale; the United States where it has none.
pub(crate) fn country(locale: &str) -> &str {
    split(locale).map_or("us", |(_, country)| country)
}

/// How many people of a country the simulated suppliers can reach.
pub(crate) fn panel(country: &str) -> f64 {
    match country {
        "us" => 2_400_000.0,
        "gb" => 900_000.0,
        "de" | "fr" => 700_000.0,
        "cn" | "in" | "br" => 1_200_000.0,
        "ca" | "au" | "es" | "it" | "jp" => 500_000.0,
        _ => 150_000.0,
    }
}
