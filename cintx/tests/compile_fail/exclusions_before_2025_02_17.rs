//! 2024-12-02 cannot be told whom to exclude.

use cintx::{Error, V2024_12_02};
use cintx::project::ProjectScope;
use cintx::target_group::TargetGroup;

async fn exclude(project: ProjectScope<V2024_12_02>, group: TargetGroup<V2024_12_02>) -> Result<(), Error> {
    project.set_exclusion_policies([(&group, true)]).await?;
    let _ = group.exclusion_lists();
    Ok(())
}

fn main() {}
