//! Only the dated versions are versions.

fn run<V: cintx::Version>(_: V) {}

fn main() {
    run("2025-12-18");
}
