//! Hand-made quotas over several questions came with 2025-12-18.

fn run(group: cintx::target_group::TargetGroup<cintx::V2025_02_17>, control: cintx::audience::ControlQuotas) {
    let _ = group.quotas().with_control(control);
}

fn main() {}
