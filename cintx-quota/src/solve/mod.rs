//! From a checked table to its solution: two axes at once, more axes in stages.
//! `transport` is the flow, `two_way` the complete way for two axes, `stages` what comes of more;
//! `spread` chooses among equally small changes, `bound` says how much better one could be; `search` settles what stages cannot, with `presolve`
//! for what is forced, `simplex` for fractions and `remainders` for whole numbers.

mod bound;
pub(crate) mod cheapest;
mod free;
mod presolve;
mod remainders;
mod search;
pub(crate) mod simplex;
pub(crate) mod spread;
pub(crate) mod stages;
pub(crate) mod transport;
pub(crate) mod two_way;
