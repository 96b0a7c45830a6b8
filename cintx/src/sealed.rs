//! Keeps traits to this crate: a trait that requires [`Sealed`] can be named by users, and implemented here alone.

/// Implemented by the types of this crate that a public trait is for.
pub trait Sealed {}
