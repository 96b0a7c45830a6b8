//! What a sandbox takes although it is not sure that the API would: each kind
//! has a name and can be switched on and off.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Something that is taken instead of refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Tolerance {
    /// Numbers that are sent as text, as samples of the guide do. On unless
    /// said otherwise.
    NumbersAsText,
    /// Ids that are sent as numbers where the document has text, as a sample of
    /// the guide does. On unless said otherwise.
    IdsAsNumbers,
    /// Conditions under the name of their other edition, with or without
    /// `_template`, as the guide sends them to its helper. On unless said
    /// otherwise.
    ConditionEditions,
    /// Locales and countries that the lists of them do not have.
    UnknownLocales,
    /// Questions that the library does not have.
    UnknownQuestions,
    /// Options that a question does not offer.
    UnknownOptions,
    /// Suppliers that the list of suppliers does not have.
    UnknownSuppliers,
    /// Industries and lockouts that the definitions do not have.
    UnknownIndustries,
    /// Clients that the list of the account's clients does not have.
    UnknownClients,
    /// Kinds of studies that the definitions do not have.
    UnknownStudyTypes,
    /// Prices beyond the platform's limit.
    AnyPrice,
    /// Amounts in another currency than the business unit's.
    AnyCurrency,
    /// Starts of fielding that lie in the past.
    PastStarts,
    /// Starts of drafts that are less than an hour ahead, which the guide
    /// rules out; on unless said otherwise, like the first.
    EarlyStarts,
    /// Survey links without a place for the respondent's id.
    LinksWithoutRid,
}

impl Tolerance {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::NumbersAsText,
        Self::IdsAsNumbers,
        Self::ConditionEditions,
        Self::UnknownLocales,
        Self::UnknownQuestions,
        Self::UnknownOptions,
        Self::UnknownSuppliers,
        Self::UnknownIndustries,
        Self::UnknownClients,
        Self::UnknownStudyTypes,
        Self::AnyPrice,
        Self::AnyCurrency,
        Self::PastStarts,
        Self::EarlyStarts,
        Self::LinksWithoutRid,
    ];

    /// Those that are on unless said otherwise.
    pub const USUAL: [Self; 4] = [Self::NumbersAsText, Self::IdsAsNumbers, Self::ConditionEditions, Self::EarlyStarts];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::NumbersAsText => "numbers-as-text",
            Self::IdsAsNumbers => "ids-as-numbers",
            Self::ConditionEditions => "condition-editions",
            Self::UnknownLocales => "unknown-locales",
            Self::UnknownQuestions => "unknown-questions",
            Self::UnknownOptions => "unknown-options",
            Self::UnknownSuppliers => "unknown-suppliers",
            Self::UnknownIndustries => "unknown-industries",
            Self::UnknownClients => "unknown-clients",
            Self::UnknownStudyTypes => "unknown-study-types",
            Self::AnyPrice => "any-price",
            Self::AnyCurrency => "any-currency",
            Self::PastStarts => "past-starts",
            Self::EarlyStarts => "early-starts",
            Self::LinksWithoutRid => "links-without-rid",
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no tolerance has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not one of {all}", all = Tolerance::ALL.map(Tolerance::name).join(", "))]
pub struct UnknownTolerance(String);

impl FromStr for Tolerance {
    type Err = UnknownTolerance;

    fn from_str(text: &str) -> Result<Self, UnknownTolerance> {
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| UnknownTolerance(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for one in Tolerance::ALL {
            assert_eq!(one.name().parse(), Ok(one));
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
        let error = "everything".parse::<Tolerance>().unwrap_err().to_string();
        assert!(error.contains("everything") && error.contains("links-without-rid"), "{error}");
    }
}
