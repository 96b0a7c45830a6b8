//! Tokens as a pure state machine: what a caller gets, when a token is refreshed, what a refusal means. It does no I/O
//! and reads no clock; `refresher` drives it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::clock::Now;
use super::token::Token;
use crate::auth::TokenError;

/// An error of the token endpoint is answered from memory for this long: a thousand callers with a wrong secret
/// make one request, and a secret mended a moment later works at once. It doubles while failures repeat.
const ERROR_LIFE: Duration = Duration::from_secs(1);
/// The longest that an error is answered from memory because it repeats itself.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The longest `Retry-After` of the token endpoint that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// Longer than any refresh takes: after this it is taken over, since nobody drives it.
pub(crate) const MAX_REFRESH_TIME: Duration = Duration::from_secs(100);
/// As long after an accepted token, a refused one may be the fault of the call, whose operation needs another right.
const ACCEPTED_GRACE: Duration = Duration::from_secs(300);
/// A source that gives a refused token again is believed after this long: the refusal may have been a mistake.
const REFUSAL_LIFE: Duration = Duration::from_secs(60);
/// How many refused tokens are remembered.
const MAX_REFUSED: usize = 32;

/// Tells one refresh from another.
pub(crate) type RefreshNumber = u64;

/// What a caller who needs a token is to do.
#[derive(Debug)]
pub(crate) enum Demand {
    /// Use this one.
    Use(Arc<Token>),
    /// Use this one, and begin this refresh.
    UseAndRefresh(Arc<Token>, RefreshNumber),
    /// Wait for a refresh, beginning it if `begin`.
    Wait { number: RefreshNumber, begin: bool },
    /// Give up: the last refresh failed just now.
    Fail(TokenError),
}

/// The present token and what is known about the next.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    current: Option<Arc<Token>>,
    /// The refresh under way, and when it began.
    refresh: Option<(RefreshNumber, Now)>,
    /// How many refreshes have begun.
    begun: RefreshNumber,
    /// How many in a row ended without an outcome.
    lost: u32,
    /// How many in a row failed.
    failures: u32,
    failed: Option<Failure>,
    /// Tokens that the API refused, and when, the last one last.
    refused: VecDeque<(Now, Arc<Token>)>,
    /// How many tokens were given up for a refusal, each soon after the one before, and when the last one was.
    rejections: u32,
    rejected: Option<Now>,
    /// When the API last took a token.
    accepted: Option<Now>,
}

#[derive(Debug)]
struct Failure {
    at: Now,
    life: Duration,
    error: TokenError,
}

/// The wait behind so many failures in a row: 0, 1, 2, 4, ... seconds.
fn backoff(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => ERROR_LIFE.saturating_mul(1 << doublings.min(16)).min(MAX_BACKOFF),
    }
}

impl Tokens {
    /// A caller needs a token.
    pub(crate) fn demand(&mut self, now: Now) -> Demand {
        if let Some((number, began)) = self.refresh
            && now.since(began) >= MAX_REFRESH_TIME
        {
            self.lost(number, now);
        }
        if let Some(at_hand) = self.at_hand(now) {
            return at_hand.map_or_else(Demand::Fail, Demand::Use);
        }
        let due = self.current.as_ref().filter(|token| !token.is_expired(now)).map(Arc::clone);
        match (due, self.refresh) {
            (Some(token), _) => Demand::UseAndRefresh(token, self.begin(now)),
            (None, Some((number, _))) => Demand::Wait { number, begin: false },
            (None, None) => Demand::Wait { number: self.begin(now), begin: true },
        }
    }

    /// What a caller gets who neither waits nor begins anything; `None` if there is something to begin or to wait for.
    pub(crate) fn at_hand(&self, now: Now) -> Option<Result<Arc<Token>, TokenError>> {
        let living = self.current.as_ref().filter(|token| !token.is_expired(now));
        let failure = self.failed.as_ref().filter(|failure| now.since(failure.at) < failure.life);
        match (living, failure) {
            (Some(token), None) if token.is_due(now) && self.refresh.is_none() => None,
            (Some(token), _) => Some(Ok(Arc::clone(token))),
            (None, Some(failure)) if self.refresh.is_none() => {
                let left = failure.life.saturating_sub(now.since(failure.at));
                Some(Err(failure.error.clone().with_wait_left(left)))
            }
            (None, _) => None,
        }
    }

    fn begin(&mut self, now: Now) -> RefreshNumber {
        self.begun += 1;
        self.refresh = Some((self.begun, now));
        self.begun
    }

    /// A refresh has ended. A failure leaves the old token where it is. What those who wait for it are told is
    /// returned: a token that is known to be refused is none.
    pub(crate) fn refreshed(
        &mut self,
        number: RefreshNumber,
        outcome: Result<Arc<Token>, TokenError>,
        now: Now,
    ) -> Result<Arc<Token>, TokenError> {
        let outcome = outcome.and_then(|token| {
            if self.is_known_refused(&token, now) { Err(TokenError::Rejected { retry_after: None }) } else { Ok(token) }
        });
        if !self.is_under_way(number) {
            return outcome;
        }
        self.refresh = None;
        self.lost = 0;
        match outcome {
            Ok(token) => {
                self.current = Some(Arc::clone(&token));
                self.failures = 0;
                self.failed = None;
                Ok(token)
            }
            Err(error) => {
                self.failures += 1;
                let asked = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
                Err(self.fail(now, backoff(self.failures).max(asked), error))
            }
        }
    }

    /// A refresh has ended without an outcome, with its runtime: another may take over at once, but no more than one.
    pub(crate) fn lost(&mut self, number: RefreshNumber, now: Now) {
        if self.is_under_way(number) {
            self.refresh = None;
            self.lost += 1;
            if self.lost > 1 {
                self.fail(now, backoff(self.lost - 1), TokenError::Abandoned);
            }
        }
    }

    fn is_under_way(&self, number: RefreshNumber) -> bool {
        self.refresh.is_some_and(|(under_way, _)| under_way == number)
    }

    fn fail(&mut self, now: Now, life: Duration, error: TokenError) -> TokenError {
        let error = match error {
            TokenError::Rejected { .. } => TokenError::Rejected { retry_after: Some(life) },
            other => other,
        };
        let left = |failure: &Failure| failure.life.saturating_sub(now.since(failure.at));
        // A longer wait that the endpoint asked for still holds.
        if self.failed.as_ref().is_none_or(|failure| left(failure) <= life) {
            self.failed = Some(Failure { at: now, life, error: error.clone() });
        }
        error
    }

    /// The API refused a token. If another has taken its place meanwhile, that one stays.
    ///
    /// The first time it is given up, and the next one asked for at once. When that is refused, too, tokens may not be
    /// the reason: while the API takes ours for other calls, the new one is kept; else it is given up as well, and the
    /// next is asked for after a wait that doubles.
    pub(crate) fn refuse(&mut self, token: &Arc<Token>, now: Now) {
        if !self.current.as_ref().is_some_and(|current| current.is(token.secret())) {
            self.remember_refused(token, now);
            return;
        }
        let since_last = self.rejected.map(|at| now.since(at));
        if since_last.is_none_or(|time| time >= ACCEPTED_GRACE) {
            self.rejections = 0;
        }
        let trusted = self.is_trusted(now);
        if trusted && since_last.is_some_and(|time| time < backoff(self.rejections)) {
            return;
        }
        self.current = None;
        self.remember_refused(token, now);
        self.rejected = Some(now);
        self.rejections = self.rejections.saturating_add(1);
        if !trusted && self.rejections > 1 {
            self.fail(now, backoff(self.rejections - 1), TokenError::Rejected { retry_after: None });
        }
    }

    fn remember_refused(&mut self, token: &Arc<Token>, now: Now) {
        self.refused.retain(|(_, refused)| !refused.is(token.secret()));
        self.refused.push_back((now, Arc::clone(token)));
        if self.refused.len() > MAX_REFUSED {
            self.refused.pop_front();
        }
    }

    /// The API took a token.
    pub(crate) fn accept(&mut self, now: Now) {
        self.accepted = Some(now);
    }

    /// Whether the API takes our tokens, as a rule.
    fn is_trusted(&self, now: Now) -> bool {
        self.accepted.is_some_and(|at| now.since(at) < ACCEPTED_GRACE)
    }

    /// Whether a token that comes from its source was refused not long ago.
    fn is_known_refused(&self, token: &Token, now: Now) -> bool {
        let same = |(at, refused): &(Now, Arc<Token>)| refused.is(token.secret()) && now.since(*at) < REFUSAL_LIFE;
        !self.is_trusted(now) && self.refused.iter().any(same)
    }

    /// The last tokens that the API refused: not to be taken from a shared store.
    pub(crate) fn refused(&self) -> Vec<Arc<Token>> {
        self.refused.iter().map(|(_, token)| Arc::clone(token)).collect()
    }

    /// Whether there is a token that nobody knows to be over.
    #[cfg(test)]
    pub(crate) fn has_living(&self, now: Now) -> bool {
        self.current.as_ref().is_some_and(|token| !token.is_expired(now))
    }
}

#[cfg(test)]
mod tests {
    use cintx_raw::Secret;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);
    const MARGIN: Duration = Duration::from_secs(300);

    fn named(name: &str, now: Now) -> Arc<Token> {
        Arc::new(Token::new(Secret::from(name), Some(HOUR), MARGIN, now, 0.0).unwrap())
    }

    fn token(now: Now) -> Arc<Token> {
        named("t", now)
    }

    fn error() -> TokenError {
        TokenError::Unreadable { reason: "test" }
    }

    /// Begins a refresh, which must be due, and ends it.
    fn refresh(tokens: &mut Tokens, outcome: Result<Arc<Token>, TokenError>, now: Now) {
        let number = match tokens.demand(now) {
            Demand::Wait { number, begin: true } | Demand::UseAndRefresh(_, number) => number,
            other => panic!("no refresh is due: {other:?}"),
        };
        let _ = tokens.refreshed(number, outcome, now);
    }

    #[test]
    fn one_refresh_at_a_time_and_nobody_waits_who_has_a_token() {
        let now = Now::read();
        let mut tokens = Tokens::default();
        let Demand::Wait { number, begin: true } = tokens.demand(now) else { panic!("the first begins") };
        for _ in 0..1000 {
            assert!(matches!(tokens.demand(now), Demand::Wait { begin: false, .. }));
        }
        assert!(tokens.refreshed(number, Ok(token(now)), now).is_ok());
        assert!(matches!(tokens.demand(now), Demand::Use(_)));
        let late = now + (HOUR - MARGIN);
        let Demand::UseAndRefresh(_, number) = tokens.demand(late) else { panic!("it is due") };
        assert!(matches!(tokens.demand(late), Demand::Use(_)));
        // The refresh fails; the old token serves while it lives, and the next refresh waits a moment.
        assert!(tokens.refreshed(number, Err(error()), late).is_err());
        assert!(matches!(tokens.demand(late), Demand::Use(_)));
        let Demand::UseAndRefresh(_, number) = tokens.demand(late + ERROR_LIFE) else { panic!("it is due") };
        let end = now + HOUR;
        // It takes too long, but not so long that it is taken over.
        let mut slow = Tokens { refresh: Some((number, end)), ..tokens };
        assert!(matches!(slow.demand(end), Demand::Wait { begin: false, .. }));
        assert!(slow.refreshed(number, Err(error()), end).is_err());
        assert!(matches!(slow.demand(end), Demand::Fail(_)));
        assert!(matches!(slow.demand(end + 2 * ERROR_LIFE), Demand::Wait { begin: true, .. }));
    }

    #[test]
    fn only_the_refused_token_is_forgotten() {
        let now = Now::read();
        let mut tokens = Tokens::default();
        let (old, new) = (named("old", now), named("new", now));
        refresh(&mut tokens, Ok(Arc::clone(&old)), now);
        tokens.refuse(&old, now);
        refresh(&mut tokens, Ok(Arc::clone(&new)), now);
        tokens.refuse(&old, now);
        assert!(matches!(tokens.demand(now), Demand::Use(token) if Arc::ptr_eq(&token, &new)));
        assert!(tokens.refused().iter().any(|token| Arc::ptr_eq(token, &old)));
    }

    #[test]
    fn failures_that_repeat_are_answered_from_memory_for_longer_and_longer() {
        let mut now = Now::read();
        let mut tokens = Tokens::default();
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            refresh(&mut tokens, Err(error()), now);
            assert!(
                matches!(tokens.demand(now + (SECOND * wait - Duration::from_millis(1))), Demand::Fail(_)),
                "{wait}"
            );
            now = now + SECOND * wait;
        }
        // One success, and all is forgotten.
        refresh(&mut tokens, Ok(token(now)), now);
        now = now + HOUR;
        refresh(&mut tokens, Err(error()), now);
        assert!(matches!(tokens.demand(now + SECOND), Demand::Wait { begin: true, .. }));
    }

    #[test]
    fn what_the_endpoint_asks_to_wait_is_waited_and_told() {
        let now = Now::read();
        let limited = |wait: u64| TokenError::Refused {
            status: http::StatusCode::TOO_MANY_REQUESTS,
            detail: "slow down".to_owned(),
            retry_after: Some(SECOND * u32::try_from(wait).unwrap()),
        };
        let mut tokens = Tokens::default();
        refresh(&mut tokens, Err(limited(120)), now);
        let Demand::Fail(error) = tokens.demand(now + SECOND * 50) else { panic!("it must wait") };
        assert_eq!(error.retry_after(), Some(SECOND * 70), "what is left of it");
        assert!(matches!(tokens.demand(now + SECOND * 120), Demand::Wait { begin: true, .. }));
        // A wait of ten years is not believed.
        let mut tokens = Tokens::default();
        refresh(&mut tokens, Err(limited(315_360_000)), now);
        assert!(matches!(tokens.demand(now + MAX_RETRY_AFTER), Demand::Wait { begin: true, .. }));
    }

    #[test]
    fn a_refresh_that_nobody_drives_is_taken_over_once_and_then_given_up() {
        let now = Now::read();
        let mut tokens = Tokens::default();
        let Demand::Wait { number: first, begin: true } = tokens.demand(now) else { panic!("the first begins") };
        let late = now + MAX_REFRESH_TIME;
        // A thousand lose their patience at the same time: one takes over.
        let takeovers = (0..1000).filter(|_| matches!(tokens.demand(late), Demand::Wait { begin: true, .. })).count();
        assert_eq!(takeovers, 1);
        // What the first comes to is not lost to those who still wait for it, but it changes nothing.
        assert!(tokens.refreshed(first, Ok(token(late)), late).is_ok());
        assert!(matches!(tokens.demand(late), Demand::Wait { begin: false, .. }));
        assert!(matches!(tokens.demand(late + MAX_REFRESH_TIME), Demand::Fail(TokenError::Abandoned)));
        assert!(matches!(tokens.demand(late + MAX_REFRESH_TIME + SECOND), Demand::Wait { begin: true, .. }));
        // After a suspend nobody waits for what slept: the clock on the wall counts.
        let mut tokens = Tokens::default();
        assert!(matches!(tokens.demand(now), Demand::Wait { begin: true, .. }));
        assert!(matches!(tokens.demand(now.later(SECOND, HOUR)), Demand::Wait { begin: true, .. }));
    }

    #[test]
    fn an_api_that_refuses_every_token_is_asked_less_and_less() {
        let mut now = Now::read();
        let mut tokens = Tokens::default();
        let mut asked = 0;
        let end = now + HOUR;
        while end.since(now) > Duration::ZERO {
            match tokens.demand(now) {
                Demand::Wait { number, begin: true } => {
                    asked += 1;
                    let token = tokens.refreshed(number, Ok(named(&asked.to_string(), now)), now).unwrap();
                    tokens.refuse(&token, now);
                }
                Demand::Fail(error) => {
                    assert!(matches!(error, TokenError::Rejected { retry_after: Some(_) }), "{error:?}");
                }
                other => panic!("a refused token is used: {other:?}"),
            }
            now = now + Duration::from_millis(100);
        }
        assert!((60..75).contains(&asked), "asked {asked} times in an hour");
    }

    #[test]
    fn one_operation_that_is_always_refused_takes_no_token_from_the_others() {
        let mut now = Now::read();
        let mut tokens = Tokens::default();
        let mut asked = 0;
        for second in 0..3600 {
            let token = match tokens.demand(now) {
                Demand::Use(token) | Demand::UseAndRefresh(token, _) => token,
                Demand::Wait { number, begin: true } => {
                    asked += 1;
                    tokens.refreshed(number, Ok(named(&asked.to_string(), now)), now).unwrap()
                }
                other => panic!("{other:?}"),
            };
            // One call in ten is answered 401 whatever token it carries.
            if second % 10 == 5 {
                tokens.refuse(&token, now)
            } else {
                tokens.accept(now)
            }
            now = now + SECOND;
        }
        assert!(asked <= 70, "asked {asked} times in an hour");
    }

    #[test]
    fn a_source_that_gives_a_refused_token_again_is_a_failure_for_a_while() {
        let now = Now::read();
        let mut tokens = Tokens::default();
        refresh(&mut tokens, Ok(token(now)), now);
        let Demand::Use(first) = tokens.demand(now) else { panic!("there is one") };
        tokens.refuse(&first, now);
        let Demand::Wait { number, begin: true } = tokens.demand(now) else { panic!("the first is replaced at once") };
        let error = tokens.refreshed(number, Ok(token(now)), now).unwrap_err();
        assert!(matches!(error, TokenError::Rejected { .. }), "{error:?}");
        assert_eq!(error.retry_after(), Some(ERROR_LIFE));
        // The refusal may have been a mistake: it is not held against the token for ever.
        let later = now + REFUSAL_LIFE;
        let Demand::Wait { number, begin: true } = tokens.demand(later) else { panic!("it is asked again") };
        assert!(tokens.refreshed(number, Ok(token(later)), later).is_ok());
    }
}
