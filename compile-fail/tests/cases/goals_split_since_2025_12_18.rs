//! No call of 2025-12-18 splits a goal over the quotas in field.

fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) {
    let _ = group.quotas().split_goal(1_000);
}

fn main() {}
