//! Performance figures came with 2025-02-17.

fn run(group: cintx::target_group::TargetGroup<cintx::V2024_12_02>) {
    let _ = group.performance();
}

fn main() {}
