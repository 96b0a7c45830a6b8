//! What must not compile, and what the compiler says instead: a capability that a version lacks names what that
//! version has; an id does not fit where another is asked for. It is here and not with the tests that cross crates,
//! since the cases are compiled with every dependency of the crate that they are in.

#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
#[test]
fn what_must_not_compile_says_what_to_use_instead() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
