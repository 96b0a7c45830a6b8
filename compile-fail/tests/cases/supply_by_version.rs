//! What only some versions can do with supply and its templates, and with a target group whose project is not known.

use cintx::{Client, TargetGroupId, V2025_02_17, V2025_12_18};
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;

fn supply(
    older: Client<V2025_02_17>,
    newest: Client<V2025_12_18>,
    group: TargetGroup<V2025_02_17>,
    id: TargetGroupId,
) {
    let _ = newest.supply_templates().create_global("Partners first", &Supply::open_exchange());
    let _ = older.supply_templates().for_business_unit(3848);
    let _ = older.find_target_group(&id);
    let _ = group.clear_supply();
}

fn main() {}
