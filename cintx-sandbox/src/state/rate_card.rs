//! Rate cards: what completes cost in business units without dynamic prices, by length and incidence.

use super::currency;
use super::locale;
use super::population::Ask;
use rust_decimal::Decimal;

/// The lengths of its rows, in minutes.
pub(crate) const MINUTES: [u64; 8] = [1, 5, 10, 15, 20, 25, 30, 45];
/// The incidences of its columns.
pub(crate) const PERCENTS: [u64; 8] = [1, 5, 10, 20, 30, 50, 75, 100];

/// One cell, in hundredths of a currency.
fn cell(country: &str, minutes: u64, percent: u64, currency: &str) -> u64 {
    let panel = locale::panel(&country.to_lowercase());
    let (minutes, incidence) = (minutes as f64, percent as f64 / 100.0);
    let price = Ask { panel, share: 1.0, incidence, minutes, days: 7.0, goal: 200.0 }.price();
    (currency::from_usd(price, currency) * 100.0).round() as u64
}

/// All cells, rows by length, columns by incidence.
pub(crate) fn cells(country: &str, currency: &str) -> Vec<Vec<u64>> {
    let row = |minutes: &u64| PERCENTS.iter().map(|percent| cell(country, *minutes, *percent, currency)).collect();
    MINUTES.iter().map(row).collect()
}

/// What a complete costs: the cell of the next longer length and of the next lower incidence, where the card does not
/// have the very ones.
pub(crate) fn price(country: &str, minutes: f64, incidence: f64, currency: &str) -> Decimal {
    let row = MINUTES.into_iter().find(|own| *own as f64 >= minutes).unwrap_or(MINUTES[MINUTES.len() - 1]);
    let asked = incidence * 100.0 + 1e-6;
    let column = PERCENTS.into_iter().rfind(|own| *own as f64 <= asked).unwrap_or(PERCENTS[0]);
    Decimal::new(cell(country, row, column, currency).cast_signed(), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_card() {
        let cells = cells("GB", "EUR");
        let at = |row: usize, column: usize| Decimal::new(cells[row][column].cast_signed(), 2);
        for (minutes, incidence, row, column) in [
            (10.0, 0.5, 2, 5),
            (10.0, 0.3, 2, 4),
            (11.0, 0.49, 3, 4),
            (1.0, 1.0, 0, 7),
            (0.0, 0.001, 0, 0),
            (90.0, 0.29, 7, 3),
        ] {
            assert_eq!(price("gb", minutes, incidence, "EUR"), at(row, column), "{minutes} {incidence}");
        }
        let dollars = price("gb", 10.0, 0.5, "USD");
        let pounds = price("gb", 10.0, 0.5, "GBP");
        assert!((pounds - dollars * Decimal::new(8, 1)).abs() <= Decimal::new(1, 2), "{dollars} {pounds}");
    }
}
