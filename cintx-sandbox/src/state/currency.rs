//! What other currencies are worth in the sandbox: round numbers that stay, so that a seed gives the same prices
//! whenever it is used.

/// Units of each currency for a US dollar.
const RATES: &[(&str, f64)] = &[
    ("AED", 3.7),
    ("ARS", 1_000.0),
    ("AUD", 1.5),
    ("BRL", 5.5),
    ("CAD", 1.4),
    ("CHF", 0.9),
    ("CLP", 950.0),
    ("CNY", 7.0),
    ("COP", 4_000.0),
    ("CZK", 23.0),
    ("DKK", 7.0),
    ("EUR", 0.9),
    ("GBP", 0.8),
    ("HKD", 7.8),
    ("HUF", 360.0),
    ("IDR", 16_000.0),
    ("ILS", 3.6),
    ("INR", 85.0),
    ("JPY", 150.0),
    ("KRW", 1_400.0),
    ("MXN", 19.0),
    ("MYR", 4.4),
    ("NOK", 10.5),
    ("NZD", 1.7),
    ("PHP", 57.0),
    ("PLN", 4.0),
    ("RON", 4.6),
    ("SAR", 3.75),
    ("SEK", 10.0),
    ("SGD", 1.3),
    ("THB", 34.0),
    ("TRY", 38.0),
    ("TWD", 32.0),
    ("USD", 1.0),
    ("VND", 25_000.0),
    ("ZAR", 18.0),
];

/// Units of a currency for a US dollar; `None` for one that the sandbox does not know.
pub(crate) fn rate(currency: &str) -> Option<f64> {
    RATES.iter().find(|(code, _)| *code == currency).map(|(_, rate)| *rate)
}

/// An amount of US dollars in another currency. Business units have only those that are known.
pub(crate) fn from_usd(amount: f64, currency: &str) -> f64 {
    amount * rate(currency).unwrap_or(1.0)
}

/// The same the other way round.
pub(crate) fn to_usd(amount: f64, currency: &str) -> f64 {
    amount / rate(currency).unwrap_or(1.0)
}

/// The currencies that are known.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    RATES.iter().map(|(code, _)| *code)
}
