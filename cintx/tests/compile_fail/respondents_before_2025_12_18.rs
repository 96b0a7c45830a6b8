//! Lists of respondents, exclusion groups, activity exclusions, recontacts and codes came with 2025-12-18.

use cintx::{Client, Error, V2025_02_17};
use cintx::exclusion::ActivityExclusion;
use cintx::respondent::RespondentMode;
use cintx::target_group::TargetGroup;

async fn respondents(cint: Client<V2025_02_17>, group: TargetGroup<V2025_02_17>) -> Result<(), Error> {
    let _ = group.exclusions();
    let _ = cint.exclusion_groups();
    group.set_activity_exclusions([ActivityExclusion::of(&group)]).await?;
    let _ = group.recontacts();
    let _ = group.unique_codes(RespondentMode::Live);
    Ok(())
}

fn main() {}
