//! Guides: pages that lead through more than one module.
//! Each is a file of `guide/` in this package.

#[doc = include_str!("../guide/calls.md")]
pub mod calls {}

#[doc = include_str!("../guide/failures.md")]
pub mod failures {}

#[doc = include_str!("../guide/field.md")]
pub mod field {}

#[doc = include_str!("../guide/quotas.md")]
pub mod quotas {}

#[doc = include_str!("../guide/respondents.md")]
pub mod respondents {}

#[cfg_attr(feature = "csv", doc = include_str!("../guide/reconciliation.md"))]
#[cfg_attr(not(feature = "csv"), doc = "Reconciliation in bulk: a page of the documentation with the feature `csv`.")]
pub mod reconciliation {}

#[doc = include_str!("../guide/studies.md")]
#[doc = "```toml"]
#[doc = include_str!("../guide/study.toml")]
#[doc = "```"]
#[doc = include_str!("../guide/studies_use.md")]
pub mod studies {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/versions.md")]
pub mod versions {}
