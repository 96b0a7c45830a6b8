//! What the tests share: a dispatcher that calls any operation by its id, and instances made from schemas.
//! The tests themselves are in `tests/`.

#[allow(clippy::too_many_lines, reason = "generated: one arm for each operation")]
pub mod dispatch;
pub mod document;
pub mod instances;
pub mod misbehave;
pub mod strict;

/// The examples of the README compile: one of them crosses over from one version to the next.
#[cfg(all(doctest, feature = "v2025-02-17", feature = "v2025-12-18"))]
#[doc = include_str!("../../README.md")]
pub struct Pages;

/// The code of the migration pages compiles, before and after.
#[cfg(all(doctest, feature = "v2024-12-02", feature = "v2025-02-17"))]
#[doc = include_str!("../../docs/migrations/2024-12-02-to-2025-02-17.md")]
pub struct FirstStep;

/// The same of the second step.
#[cfg(all(doctest, feature = "v2025-02-17", feature = "v2025-12-18"))]
#[doc = include_str!("../../docs/migrations/2025-02-17-to-2025-12-18.md")]
pub struct SecondStep;
