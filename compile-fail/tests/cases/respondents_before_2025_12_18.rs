//! Lists of respondents, exclusion groups, activity exclusions, recontacts and codes came with 2025-12-18.

use cintx::{Client, V2025_02_17};
use cintx::exclusion::ActivityExclusion;
use cintx::respondent::RespondentMode;
use cintx::target_group::TargetGroup;

fn respondents(cint: Client<V2025_02_17>, group: TargetGroup<V2025_02_17>) {
    let _ = group.exclusions();
    let _ = cint.exclusion_groups();
    let _ = group.set_activity_exclusions([ActivityExclusion::of(&group)]);
    let _ = group.recontacts();
    let _ = group.unique_codes(RespondentMode::Live);
}

fn main() {}
