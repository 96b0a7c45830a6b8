//! The retries of one call as a pure state machine: events in, decisions out. Clock, randomness and budget come from
//! outside; what may be repeated, and what is known of the effect, is decided here.

use std::time::Duration;

use super::throttle::Budget;
use crate::client::options::{OperationTimeouts, RetryPolicy};
use crate::error::{Outcome, StopReason};

/// What repeating a request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    None,
    /// It writes, and its key (or the caller's word) makes a repetition harmless.
    Repeatable,
    /// It sets a state without a key: once refused, it may be sent again; with its answer lost, it could undo what was
    /// done since.
    SetsState,
    /// It writes, and would write twice.
    Once,
}

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Nothing left: no connection.
    NotSent,
    /// No answer, or none within the limit; the API may have seen the request.
    Lost,
    /// A status, and the whole body with it.
    Answered { status: u16, retry_after: Option<Duration> },
    /// A success status whose body broke off.
    Truncated,
    /// A success status with an answer that the operation's document does not describe.
    Unexpected,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It begins, or a wait is over.
    Ready,
    /// The credential is there.
    Token,
    /// No credential can be had.
    NoToken,
    /// An attempt has ended. `token_expired`: our own clock says that the token it carried may have expired.
    Ended { attempt: Attempt, token_expired: bool },
    /// The time of the whole call is over, between attempts.
    TimeIsUp,
    /// The pacer has no room for another attempt within the time of the call.
    NoRoom,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Get a credential: after a refusal another than the last one.
    GetToken,
    /// Send, and wait no longer than this.
    Send { limit: Duration },
    /// Wait, then go on with [`Event::Ready`].
    Wait(Duration),
    /// It is over.
    Finish(Verdict),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// With a success.
    Success,
    /// Without one.
    Failure { outcome: Outcome, why: StopReason },
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct RetryMachine {
    effect: Effect,
    has_token: bool,
    policy: RetryPolicy,
    limits: OperationTimeouts,
    /// Whether a pacer sees to it that attempts do not come too fast.
    paced: bool,
    attempts: u32,
    /// Those that were turned away with 429 and made again at the pacer's word: they cost nothing.
    turned_away: u32,
    /// Attempts that failed and were answered by a wait: the exponent of the next one.
    waits: u32,
    /// An attempt may have been applied; only a success decides that.
    maybe_applied: bool,
    /// The API may still be at work on the attempt, or on one before the last.
    at_work: bool,
    earlier_at_work: bool,
    /// The API said so, but its answer could not be read.
    applied: bool,
    token_replaced: bool,
    /// An attempt left this machine.
    was_sent: bool,
}

impl RetryMachine {
    /// A call that has not begun. `has_token`: its credential can be refused and replaced.
    pub(crate) fn new(effect: Effect, has_token: bool, policy: RetryPolicy, limits: OperationTimeouts) -> Self {
        Self {
            effect,
            has_token,
            policy,
            limits,
            paced: false,
            attempts: 0,
            turned_away: 0,
            waits: 0,
            maybe_applied: false,
            at_work: false,
            earlier_at_work: false,
            applied: false,
            token_replaced: false,
            was_sent: false,
        }
    }

    /// Whether a pacer sees to it that attempts do not come too fast.
    pub(crate) fn paced(self, paced: bool) -> Self {
        Self { paced, ..self }
    }

    /// Whether an attempt was turned away with 429, and is made again.
    pub(crate) fn was_turned_away(&self) -> bool {
        self.turned_away > 0
    }

    /// Whether the API may still be at work on an attempt before the last.
    pub(crate) fn earlier_at_work(&self) -> bool {
        self.earlier_at_work
    }

    /// How many attempts there were.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What is known of the effect if the call ended now, `last` being what the last attempt says by itself.
    pub(crate) fn outcome(&self, last: Outcome) -> Outcome {
        // What the last attempt did not send, one before it may have.
        let last = if last == Outcome::NotSent && self.was_sent { Outcome::NoEffect } else { last };
        match (self.effect, last) {
            // What only reads has no effect to be unsure of.
            (Effect::None, Outcome::NotSent) => Outcome::NotSent,
            (Effect::None, _) => Outcome::NoEffect,
            _ if self.applied => Outcome::Applied,
            _ if self.maybe_applied => Outcome::Unknown,
            (_, last) => last,
        }
    }

    /// Takes an event, `now` being the time since the call began and `unit` a random number from 0 to 1.
    pub(crate) fn on(&mut self, event: Event, now: Duration, unit: f64, budget: &Budget) -> Decision {
        match event {
            Event::Ready if now >= self.limits.operation => self.fail(Outcome::NotSent, StopReason::Time),
            Event::Ready => Decision::GetToken,
            Event::Token => {
                let left = self.limits.operation.saturating_sub(now);
                if left.is_zero() {
                    return self.fail(Outcome::NotSent, StopReason::Time);
                }
                self.attempts += 1;
                self.earlier_at_work = self.at_work;
                Decision::Send { limit: self.limits.attempt.min(left) }
            }
            Event::NoToken => self.fail(Outcome::NotSent, StopReason::Final),
            Event::TimeIsUp => self.fail(Outcome::NotSent, StopReason::Time),
            Event::NoRoom => self.fail(Outcome::NotSent, StopReason::Rate),
            Event::Ended { attempt, token_expired } => self.ended(attempt, token_expired, now, unit, budget),
        }
    }

    fn ended(&mut self, attempt: Attempt, token_expired: bool, now: Duration, unit: f64, budget: &Budget) -> Decision {
        let repeatable = matches!(self.effect, Effect::None | Effect::Repeatable);
        self.was_sent |= !matches!(attempt, Attempt::NotSent);
        match attempt {
            Attempt::NotSent => self.again(Outcome::NotSent, None, now, unit, budget),
            Attempt::Lost => {
                self.lose();
                if repeatable {
                    self.again(Outcome::Unknown, None, now, unit, budget)
                } else {
                    self.fail(Outcome::Unknown, StopReason::NotRepeatable)
                }
            }
            Attempt::Truncated => {
                self.applied = true;
                if repeatable {
                    self.again(Outcome::Applied, None, now, unit, budget)
                } else {
                    self.fail(Outcome::Applied, StopReason::NotRepeatable)
                }
            }
            Attempt::Unexpected => self.undecided(),
            Attempt::Answered { status, retry_after } => match status {
                200..=299 => {
                    budget.deposit();
                    Decision::Finish(Verdict::Success)
                }
                // A gateway can say either after the work is done: what would write twice is looked for first.
                401 | 429 if self.effect == Effect::Once => {
                    self.maybe_applied = true;
                    self.fail(Outcome::Unknown, StopReason::NotRepeatable)
                }
                401 => {
                    self.maybe_applied = true;
                    self.refused(true)
                }
                403 => self.refused(token_expired),
                429 => {
                    self.maybe_applied = true;
                    if self.paced {
                        self.turned_away(retry_after, now, unit)
                    } else {
                        self.again(Outcome::Unknown, retry_after, now, unit, budget)
                    }
                }
                // The first attempt under this key may still be at work.
                409 if self.effect == Effect::Repeatable && self.maybe_applied => {
                    self.again(Outcome::Unknown, retry_after, now, unit, budget)
                }
                // A proxy behind the API may say so after the work was done, and says it again when asked again.
                501 | 505 => self.undecided(),
                408 | 500..=599 => {
                    self.lose();
                    if repeatable {
                        self.again(Outcome::Unknown, retry_after, now, unit, budget)
                    } else {
                        self.fail(Outcome::Unknown, StopReason::NotRepeatable)
                    }
                }
                // Each says that the request itself was looked at and turned away.
                400 | 402 | 404..=407 | 409..=417 | 421..=424 | 426 | 428 | 431 | 451 => {
                    self.fail(Outcome::NoEffect, StopReason::Final)
                }
                // Redirects, 499 and words that no standard knows prove nothing.
                _ => self.undecided(),
            },
        }
    }

    /// The API may have the request, and be at work on it.
    fn lose(&mut self) {
        self.maybe_applied = true;
        self.at_work = true;
    }

    /// The answer does not say whether the request took effect, and asking again would not tell.
    fn undecided(&mut self) -> Decision {
        self.lose();
        self.fail(Outcome::Unknown, StopReason::Final)
    }

    /// The credential may be the reason: it is replaced once. The request was turned away, so it may be sent again.
    fn refused(&mut self, token_is_to_blame: bool) -> Decision {
        if token_is_to_blame && self.has_token && !self.token_replaced {
            self.token_replaced = true;
            return Decision::GetToken;
        }
        self.fail(Outcome::NoEffect, StopReason::Final)
    }

    /// The pacer knows of it and sees to the pace, so another attempt costs nothing, and there may be as many as there
    /// is time for. The waits are for this call alone: what it was asked for itself, and longer ones if it is turned
    /// away again and again, so that no pacer can make it ask without a pause.
    fn turned_away(&mut self, retry_after: Option<Duration>, now: Duration, unit: f64) -> Decision {
        let last = Outcome::Unknown;
        if self.policy.max_attempts <= 1 {
            return self.fail(last, StopReason::Attempts);
        }
        if retry_after.is_some_and(|wait| wait > self.policy.max_retry_after) {
            return self.fail(last, StopReason::RetryAfter);
        }
        let backoff = self.turned_away.checked_sub(1).map(|times| self.policy.wait(times, unit)).unwrap_or_default();
        let wait = backoff.max(retry_after.unwrap_or_default());
        if now.saturating_add(wait) >= self.limits.operation {
            return self.fail(last, StopReason::Rate);
        }
        self.turned_away += 1;
        Decision::Wait(wait)
    }

    fn again(
        &mut self,
        last: Outcome,
        retry_after: Option<Duration>,
        now: Duration,
        unit: f64,
        budget: &Budget,
    ) -> Decision {
        if self.attempts - self.turned_away >= self.policy.max_attempts {
            return self.fail(last, StopReason::Attempts);
        }
        if retry_after.is_some_and(|wait| wait > self.policy.max_retry_after) {
            return self.fail(last, StopReason::RetryAfter);
        }
        let wait = self.policy.wait(self.waits, unit).max(retry_after.unwrap_or_default());
        if now.saturating_add(wait) >= self.limits.operation {
            return self.fail(last, StopReason::Time);
        }
        if !budget.withdraw() {
            return self.fail(last, StopReason::Budget);
        }
        self.waits += 1;
        Decision::Wait(wait)
    }

    fn fail(&self, last: Outcome, why: StopReason) -> Decision {
        Decision::Finish(Verdict::Failure { outcome: self.outcome(last), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_and_finds_no_other_token_was_sent() {
        let limits = OperationTimeouts::new(Duration::from_secs(60), Duration::from_secs(120));
        let mut machine = RetryMachine::new(Effect::SetsState, true, RetryPolicy::standard(), limits);
        let mut on = |event| machine.on(event, Duration::ZERO, 0.5, &Budget::new());
        assert!(matches!(on(Event::Ready), Decision::GetToken));
        assert!(matches!(on(Event::Token), Decision::Send { .. }));
        let attempt = Attempt::Answered { status: 403, retry_after: None };
        assert!(matches!(on(Event::Ended { attempt, token_expired: true }), Decision::GetToken));
        let Decision::Finish(Verdict::Failure { outcome, .. }) = on(Event::NoToken) else { panic!() };
        assert_eq!(outcome, Outcome::NoEffect);
    }

    #[test]
    fn a_read_that_was_sent_once_is_never_said_not_to_be() {
        let limits = OperationTimeouts::new(Duration::from_secs(60), Duration::from_secs(120));
        let not_sent = Event::Ended { attempt: Attempt::NotSent, token_expired: false };
        for (first, ends) in [
            (Attempt::Answered { status: 503, retry_after: None }, Outcome::NoEffect),
            (Attempt::Lost, Outcome::NoEffect),
            (Attempt::NotSent, Outcome::NotSent),
        ] {
            for last in [Event::NoToken, Event::NoRoom, Event::TimeIsUp] {
                let mut machine = RetryMachine::new(Effect::None, true, RetryPolicy::standard(), limits);
                let mut on = |event| machine.on(event, Duration::ZERO, 0.5, &Budget::new());
                assert!(matches!(on(Event::Ready), Decision::GetToken));
                assert!(matches!(on(Event::Token), Decision::Send { .. }));
                let ended = Event::Ended { attempt: first, token_expired: false };
                assert!(matches!(on(ended), Decision::Wait(_)), "{first:?}");
                let Decision::Finish(Verdict::Failure { outcome, .. }) = on(last) else { panic!("{first:?}") };
                assert_eq!(outcome, ends, "{first:?}");
            }
        }
        let again = after(Effect::None, &[answered(503, None)]);
        assert!(matches!(again, Decision::Wait(_)), "{again:?}");
        let policy = RetryPolicy::none();
        let mut machine = RetryMachine::new(Effect::None, true, policy, limits);
        let mut on = |event| machine.on(event, Duration::ZERO, 0.5, &Budget::new());
        assert!(matches!(on(Event::Token), Decision::Send { .. }));
        let Decision::Finish(Verdict::Failure { outcome, .. }) = on(not_sent) else { panic!() };
        assert_eq!(outcome, Outcome::NotSent);
    }

    /// A call that has sent its first attempt, and what is done when that ends.
    fn after(effect: Effect, attempts: &[(Attempt, bool)]) -> Decision {
        let limits = OperationTimeouts::new(Duration::from_secs(60), Duration::from_secs(1_000));
        let (mut machine, budget) = (RetryMachine::new(effect, true, RetryPolicy::standard(), limits), Budget::new());
        let mut decision = machine.on(Event::Ready, Duration::ZERO, 0.5, &budget);
        for &(attempt, token_expired) in attempts {
            assert!(matches!(decision, Decision::GetToken | Decision::Wait(_)), "{decision:?}");
            assert!(matches!(machine.on(Event::Token, Duration::ZERO, 0.5, &budget), Decision::Send { .. }));
            decision = machine.on(Event::Ended { attempt, token_expired }, Duration::ZERO, 0.5, &budget);
        }
        decision
    }

    fn answered(status: u16, retry_after: Option<u64>) -> (Attempt, bool) {
        (Attempt::Answered { status, retry_after: retry_after.map(Duration::from_secs) }, false)
    }

    #[test]
    fn retry_after_is_waited_for_up_to_the_longest_that_is_allowed() {
        let wait = |seconds| after(Effect::None, &[answered(503, Some(seconds))]);
        assert_eq!(wait(50), Decision::Wait(Duration::from_secs(50)));
        let why = StopReason::RetryAfter;
        assert_eq!(wait(61), Decision::Finish(Verdict::Failure { outcome: Outcome::NoEffect, why }));
    }

    #[test]
    fn a_403_replaces_a_token_only_if_that_may_have_expired() {
        let (attempt, _) = answered(403, None);
        assert_eq!(after(Effect::None, &[(attempt, true)]), Decision::GetToken);
        let Decision::Finish(Verdict::Failure { outcome, .. }) = after(Effect::SetsState, &[(attempt, false)]) else {
            panic!("a missing right")
        };
        assert_eq!(outcome, Outcome::NoEffect);
    }

    #[test]
    fn a_409_to_a_repeated_attempt_may_come_from_the_first_one_at_work() {
        let lost = (Attempt::Lost, false);
        assert!(matches!(after(Effect::Repeatable, &[lost, answered(409, None)]), Decision::Wait(_)));
        let why = StopReason::Final;
        let refused = Decision::Finish(Verdict::Failure { outcome: Outcome::NoEffect, why });
        assert_eq!(after(Effect::Repeatable, &[answered(409, None)]), refused);
    }
}
