//! What must not compile is in `tests/cases`; this package is apart, so that the cases are compiled with no more than
//! they use.
