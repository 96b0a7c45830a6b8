//! No call of 2025-12-18 changes one profile in field by itself.

fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) {
    let _ = group.quotas().delete_quotas("profile", &[]);
}

fn main() {}
