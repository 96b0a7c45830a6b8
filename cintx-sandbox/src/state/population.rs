//! What respondents cost and how many there are: a plausible market, in which
//! harder asks cost more and longer fielding reaches further.

use crate::scenario::PriceResponse;

/// What is asked of the market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// People that suppliers can reach in the country.
    pub(crate) panel: f64,
    /// The part of them that the audience describes.
    pub(crate) share: f64,
    pub(crate) incidence: f64,
    pub(crate) minutes: f64,
    pub(crate) days: f64,
    pub(crate) goal: f64,
}

impl Ask {
    /// People who would qualify within the time in field.
    pub(crate) fn reach(&self) -> f64 {
        // A day reaches 2 % of the panel, later days fewer new people.
        let days = 1.0 - 0.98_f64.powf(self.days.clamp(0.05, 365.0));
        self.panel * self.share.clamp(0.0, 1.0) * self.incidence.clamp(0.0, 1.0) * days
    }

    /// The price at which the goal is likely to fill, in US dollars like all prices here.
    pub(crate) fn price(&self) -> f64 {
        let time = 0.55 + 0.13 * self.minutes.max(0.0);
        let rarity = 1.0 / self.incidence.clamp(0.01, 1.0).powf(0.55);
        let narrow = 1.0 + 0.25 * (1.0 / self.share.clamp(0.001, 1.0)).ln().max(0.0);
        let crowd = 1.0 + (self.goal / self.reach().max(1.0)).clamp(0.0, 5.0);
        time * rarity * narrow * crowd
    }

    /// How a price draws people: 1 for a fair one, with falling returns.
    fn attraction(&self, price: Option<f64>) -> f64 {
        PriceResponse::default().at(price.map_or(1.0, |price| (price / self.price()).max(0.0)))
    }

    /// The lowest and the highest number of completes to expect at a price.
    pub(crate) fn completes(&self, price: Option<f64>) -> (u64, u64) {
        let most = self.reach() * 0.35 * self.attraction(price);
        ((most * 0.6).floor().max(0.0) as u64, most.floor().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: Ask = Ask { panel: 1e6, share: 0.5, incidence: 0.5, minutes: 10.0, days: 7.0, goal: 500.0 };

    #[test]
    fn price_rises_with_what_is_asked() {
        let base = ASK.price();
        assert!(base > 1.0 && base < 20.0, "{base}");
        assert!(Ask { minutes: 20.0, ..ASK }.price() > base);
        assert!(Ask { incidence: 0.1, ..ASK }.price() > base);
        assert!(Ask { share: 0.1, ..ASK }.price() > base);
        assert!(Ask { goal: 5_000.0, ..ASK }.price() > base);
        assert!(Ask { days: 1.0, ..ASK }.price() > base);
    }

    #[test]
    fn completes_rise_with_time_and_price() {
        let (low, high) = ASK.completes(None);
        assert!(low < high);
        assert!(Ask { days: 14.0, ..ASK }.completes(None).1 > high);
        assert!(Ask { incidence: 0.2, ..ASK }.completes(None).1 < high);
        assert!(ASK.completes(Some(ASK.price() * 2.0)).1 > high);
        assert!(ASK.completes(Some(ASK.price() / 2.0)).1 < high);
    }
}
