//! When accepted attempts left, for the last two seconds: how many of them within one second is an estimate of a rate
//! limit.

use super::control::Seconds;

const SLOTS: u64 = 64;
const SLOTS_PER_SECOND: u64 = 32;

/// Counts by the time of departure.
#[derive(Clone, Debug)]
pub(super) struct Window {
    slots: [u32; SLOTS as usize],
    last: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { slots: [0; SLOTS as usize], last: 0 }
    }
}

impl Window {
    /// An attempt that left then was accepted. They may be told out of order.
    pub(super) fn add(&mut self, at: Seconds) {
        let slot = slot(at);
        for passed in (self.last + 1..=slot).take(SLOTS as usize) {
            self.slots[index(passed)] = 0;
        }
        self.last = self.last.max(slot);
        if slot + SLOTS > self.last {
            self.slots[index(slot)] += 1;
        }
    }

    /// How many left within the last second, `at` being a time within it; and when the first of them did.
    pub(super) fn last_second(&self, at: Seconds) -> (u32, Seconds) {
        let end = slot(at).max(self.last);
        let begin = (end + 1).saturating_sub(SLOTS_PER_SECOND).max((self.last + 1).saturating_sub(SLOTS));
        let filled = || (begin..=self.last).filter(|slot| self.slots[index(*slot)] > 0);
        let count = filled().map(|slot| self.slots[index(slot)]).sum();
        (count, filled().next().map_or(at, |slot| slot as f64 / SLOTS_PER_SECOND as f64))
    }
}

fn slot(at: Seconds) -> u64 {
    (at * SLOTS_PER_SECOND as f64) as u64
}

fn index(slot: u64) -> usize {
    (slot % SLOTS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_counted_whatever_the_order_and_the_gaps() {
        let mut window = Window::default();
        assert_eq!(window.last_second(0.5), (0, 0.5));
        for at in [0.5, 0.0, 0.25, 0.75] {
            window.add(at);
        }
        assert_eq!(window.last_second(0.75), (4, 0.0));
        assert_eq!(window.last_second(1.3), (2, 0.5));
        window.add(1.5);
        assert_eq!(window.last_second(1.5), (2, 0.75));
        // Long past: nothing is left of it, and what is told of it later is not counted.
        window.add(100.0);
        window.add(1.5);
        assert_eq!(window.last_second(100.0), (1, 100.0));
        assert_eq!(window.last_second(102.0).0, 0);
    }
}
