//! Guides: pages that lead through more than one module.
//! Each is a file of `guide/` in this package.

#[doc = include_str!("../guide/failures.md")]
pub mod failures {}

#[doc = include_str!("../guide/quotas.md")]
pub mod quotas {}

#[doc = include_str!("../guide/respondents.md")]
pub mod respondents {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/versions.md")]
pub mod versions {}
