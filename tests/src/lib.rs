//! What the tests share: a dispatcher that calls any operation by its id, and instances made from schemas.
//! The tests themselves are in `tests/`.

#[allow(clippy::too_many_lines, reason = "generated: one arm for each operation")]
pub mod dispatch;
pub mod document;
pub mod instances;
pub mod strict;
pub mod with_faults;

/// A version with everything that came with 2025-12-18 and is there since: what tests of those calls are generic over.
pub trait Latest:
    cintx::HasFilters
    + cintx::exclusion::HasActivityExclusions
    + cintx::exclusion::HasExclusionGroups
    + cintx::exclusion::HasRespondentExclusions
    + cintx::fielding::HasFieldOfDays
    + cintx::pricing::HasPricePrediction
    + cintx::quota::HasControlQuotas
    + cintx::recontact::HasRecontacts
    + cintx::reconciliation::HasEligibleTargetGroups
    + cintx::reconciliation::HasKeptCompletes
    + cintx::reconciliation::HasReconciliationFiles
    + cintx::report::HasReportEmails
    + cintx::respondent::HasUniqueCodes
    + cintx::supply::HasUnitTemplates
    + cintx::target_group::HasOverviewById
    + cintx::target_group::HasReEntry
    + cintx::webhook::HasWebhookHistory
{
}

#[cfg(feature = "v2025-12-18")]
impl Latest for cintx::V2025_12_18 {}

/// The examples of the README compile: one of them crosses over from one version to the next.
#[cfg(all(doctest, feature = "v2025-02-17", feature = "v2025-12-18"))]
#[doc = include_str!("../../README.md")]
pub struct Pages;

/// The code of the migration page to 2025-02-17 compiles, before and after.
#[cfg(all(doctest, feature = "v2024-12-02", feature = "v2025-02-17"))]
#[doc = include_str!("../../docs/migrations/2024-12-02-to-2025-02-17.md")]
pub struct To2025_02_17;

/// The code of the migration page to 2025-12-18 compiles, before and after.
#[cfg(all(doctest, feature = "v2025-02-17", feature = "v2025-12-18"))]
#[doc = include_str!("../../docs/migrations/2025-02-17-to-2025-12-18.md")]
pub struct To2025_12_18;

/// The code of the book's own pages compiles and runs; that of the pages that it takes in is compiled where they lie.
#[cfg(all(doctest, feature = "v2025-12-18"))]
#[doc = include_str!("../../docs/book/first_hour.md")]
pub struct FirstHour;

/// The same of the page about currencies.
#[cfg(doctest)]
#[doc = include_str!("../../docs/book/currencies.md")]
pub struct Currencies;

/// The same of the page about the simulated Exchange.
#[cfg(doctest)]
#[doc = include_str!("../../cintx-sandbox/README.md")]
pub struct SimulatedExchange;
