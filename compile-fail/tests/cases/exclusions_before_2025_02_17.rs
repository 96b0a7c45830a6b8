//! 2024-12-02 cannot be told whom to exclude.

use cintx::V2024_12_02;
use cintx::project::ProjectScope;
use cintx::target_group::TargetGroup;

fn exclude(project: ProjectScope<V2024_12_02>, group: TargetGroup<V2024_12_02>) {
    let _ = project.set_exclusion_policies([(&group, true)]);
    let _ = group.exclusion_lists();
}

fn main() {}
