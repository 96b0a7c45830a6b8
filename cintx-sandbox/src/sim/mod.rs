//! What the simulation is made of: its clock, its randomness, and instances
//! of schemas and patterns.

pub(crate) mod clock;
pub(crate) mod pattern;
pub(crate) mod rng;
pub(crate) mod synth;
