//! Seals traits: a trait that requires [`Sealed`] can be named by users, and implemented in this crate only.

/// Implemented by the types of this crate that a public trait is for.
pub trait Sealed {}
