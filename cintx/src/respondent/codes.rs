//! The three sets of status codes of a respondent: server to server, client, marketplace. The same number means
//! different things in them, so each set is a type, and conversions exist only where Cint publishes them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RespondentOutcome;
use crate::types::InvalidValue;

impl TryFrom<i64> for RespondentOutcome {
    type Error = InvalidValue;

    fn try_from(code: i64) -> Result<Self, InvalidValue> {
        let expected = "a server-to-server code: 2, 3, 4 or 5";
        let known = Self::ALL.into_iter().find(|it| it.code() == code);
        known.ok_or_else(|| InvalidValue::new(code, expected))
    }
}

impl TryFrom<ClientCode> for RespondentOutcome {
    type Error = InvalidValue;

    /// Only the four ends that both systems have. Speeders (33) and the like are refused rather than guessed.
    fn try_from(code: ClientCode) -> Result<Self, InvalidValue> {
        let expected = "a client code that has a server-to-server counterpart: 10, 20, 30 or 40";
        let known = Self::ALL.into_iter().find(|it| ClientCode::from(*it) == code);
        known.ok_or_else(|| InvalidValue::new(code, expected))
    }
}

/// How it went in the client's survey: in redirects (`RIS`), reports, and `client_status_code_change` of webhooks.
/// Any number can be held, for numbers that are not documented yet; [`for_redirect`](Self::for_redirect) checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientCode(i64);

impl ClientCode {
    /// -1: never reached the client.
    pub const NEVER_ARRIVED: Self = Self(-1);
    /// 1: in the client's survey, or dropped out of it.
    pub const IN_SURVEY: Self = Self(1);
    /// 10: complete.
    pub const COMPLETE: Self = Self(10);
    /// 11: made a complete by reconciliation.
    pub const ADJUSTED_TO_COMPLETE: Self = Self(11);
    /// 20: terminate.
    pub const TERMINATE: Self = Self(20);
    /// 26: made a terminate by a reconciliation that listed the completes to keep.
    pub const ADJUSTED_BY_COMPLETES: Self = Self(26);
    /// 28: made a terminate after the survey.
    pub const ADJUSTED_AFTER_SURVEY: Self = Self(28);
    /// 30: terminate for security or quality.
    pub const QUALITY_TERMINATE: Self = Self(30);
    /// 33: too fast.
    pub const SPEEDER: Self = Self(33);
    /// 34: terminate for an open-ended answer.
    pub const OPEN_END_TERMINATE: Self = Self(34);
    /// 40: overquota.
    pub const OVERQUOTA: Self = Self(40);
    /// 91: the redirect carried a code that is not accepted.
    pub const NOT_ACCEPTED: Self = Self(91);

    /// The codes that a redirect may carry. Cint records any other one as 91.
    pub const REDIRECTABLE: [Self; 11] = [
        Self(10),
        Self(20),
        Self(30),
        Self(33),
        Self(34),
        Self(35),
        Self(40),
        Self(70),
        Self(80),
        Self(110),
        Self(134),
    ];

    /// Holds a number as a client code, documented or not.
    pub fn new(code: i64) -> Self {
        Self(code)
    }

    /// The number.
    pub fn code(self) -> i64 {
        self.0
    }

    /// The code, if a redirect may carry it.
    ///
    /// # Errors
    /// That Cint would record it as 91.
    pub fn for_redirect(self) -> Result<Self, InvalidValue> {
        let expected = "a code that redirects may carry as RIS: 10, 20, 30, 33, 34, 35, 40, 70, 80, 110 or 134";
        let fits = Self::REDIRECTABLE.contains(&self);
        if fits { Ok(self) } else { Err(InvalidValue::new(self, expected)) }
    }

    /// Whether this is a complete, as surveyed or as adjusted later.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::COMPLETE | Self::ADJUSTED_TO_COMPLETE)
    }
}

impl From<RespondentOutcome> for ClientCode {
    fn from(code: RespondentOutcome) -> Self {
        match code {
            RespondentOutcome::Complete => Self::COMPLETE,
            RespondentOutcome::Terminate => Self::TERMINATE,
            RespondentOutcome::Overquota => Self::OVERQUOTA,
            RespondentOutcome::SecurityTerminate => Self::QUALITY_TERMINATE,
        }
    }
}

impl fmt::Display for ClientCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How it went on Cint's side, before the respondent came to the client. There is no conversion to the other systems:
/// 30 here is a duplicate address, there a quality terminate.
///
/// ```compile_fail
/// use cintx::respondent::codes::{ClientCode, MarketplaceCode};
/// let wrong: ClientCode = MarketplaceCode::QUOTA_FULL.into();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MarketplaceCode(i64);

impl MarketplaceCode {
    /// -1: the page failed to load.
    pub const LOAD_ERROR: Self = Self(-1);
    /// 1: in Cint's screener, or dropped out of it.
    pub const IN_SCREENER: Self = Self(1);
    /// 3: sent to the client's survey.
    pub const SENT_TO_CLIENT: Self = Self(3);
    /// 21: locked out for the industry.
    pub const INDUSTRY_LOCKOUT: Self = Self(21);
    /// 23: does not fit a standard question.
    pub const STANDARD_QUALIFICATION: Self = Self(23);
    /// 24: does not fit a custom question.
    pub const CUSTOM_QUALIFICATION: Self = Self(24);
    /// 30: the IP address came before.
    pub const UNIQUE_IP: Self = Self(30);
    /// 32: invalid traffic.
    pub const INVALID_TRAFFIC: Self = Self(32);
    /// 35: the supplier's panellist id came before.
    pub const SUPPLIER_PID_DUPLICATE: Self = Self(35);
    /// 36: the cookie came before.
    pub const COOKIE_DUPLICATE: Self = Self(36);
    /// 37: the IP address is of another country.
    pub const GEO_IP_MISMATCH: Self = Self(37);
    /// 40: the quota is full.
    pub const QUOTA_FULL: Self = Self(40);
    /// 41: the supplier has used its allocation.
    pub const SUPPLIER_ALLOCATION: Self = Self(41);
    /// 42: the survey is closed.
    pub const SURVEY_CLOSED: Self = Self(42);

    /// Holds a number as a marketplace code, documented or not.
    pub fn new(code: i64) -> Self {
        Self(code)
    }

    /// The number.
    pub fn code(self) -> i64 {
        self.0
    }

    /// Whether the respondent was sent to the client's survey.
    pub fn was_sent_to_client(self) -> bool {
        self == Self::SENT_TO_CLIENT
    }
}

impl fmt::Display for MarketplaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_holds_in_both_directions() {
        let table = [
            (RespondentOutcome::Complete, 5, 10),
            (RespondentOutcome::Terminate, 2, 20),
            (RespondentOutcome::Overquota, 3, 40),
            (RespondentOutcome::SecurityTerminate, 4, 30),
        ];
        for (outcome, s2s, client) in table {
            assert_eq!(outcome.code(), s2s);
            assert_eq!(RespondentOutcome::try_from(s2s), Ok(outcome));
            assert_eq!(ClientCode::from(outcome).code(), client);
            assert_eq!(RespondentOutcome::try_from(ClientCode::new(client)), Ok(outcome));
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        for code in (-200..200).filter(|code| ![2, 3, 4, 5].contains(code)) {
            let error = RespondentOutcome::try_from(code).unwrap_err().to_string();
            assert!(error.starts_with(&format!("\"{code}\" is not ")), "{error}");
        }
        for code in (-200..200).filter(|code| ![10, 20, 30, 40].contains(code)) {
            let error = RespondentOutcome::try_from(ClientCode::new(code)).unwrap_err();
            assert!(error.to_string().contains("is not a client code that has a server-to-server"), "{error}");
        }
    }

    #[test]
    fn redirects_carry_only_what_cint_accepts() {
        let accepted = (-200..200).filter(|code| ClientCode::new(*code).for_redirect().is_ok());
        assert!(accepted.eq([10, 20, 30, 33, 34, 35, 40, 70, 80, 110, 134]));
        let error = ClientCode::IN_SURVEY.for_redirect().unwrap_err().to_string();
        assert!(
            error.starts_with("\"1\" is not a code that redirects may carry as RIS: ") && error.ends_with("134"),
            "{error}"
        );
    }
}
