//! Filters by manager and by kind of change came with 2025-12-18.

fn run(group: cintx::target_group::TargetGroup<cintx::V2025_02_17>, groups: cintx::target_group::TargetGroups<cintx::V2024_12_02>) {
    let _ = group.changelog().kind(cintx::target_group::ChangeKind::Status);
    let _ = groups.list().manager("2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse().unwrap());
}

fn main() {}
