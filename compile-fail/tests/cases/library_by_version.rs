//! What only some versions can do with the question library, the calendar and lists sent at once.

use cintx::{Client, V2024_12_02, V2025_02_17, V2025_12_18};
use cintx::target_group::TargetGroup;

fn library(
    first: Client<V2024_12_02>,
    second: Client<V2025_02_17>,
    newest: Client<V2025_12_18>,
    group: TargetGroup<V2025_12_18>,
) {
    let _ = first.questions("eng_gb").only_custom();
    let _ = second.suggest_field_of_days("eng_gb", 5);
    let _ = newest.question_index("eng_gb");
    let _ = newest.questions("eng_gb").category_code("DEM");
    let _ = newest.question_details("eng_gb", 42);
    let _ = group.exclusion_lists();
}

fn main() {}
