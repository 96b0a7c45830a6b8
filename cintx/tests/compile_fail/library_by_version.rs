//! What only some versions can do with the question library, the calendar and lists sent at once.

use cintx::{Client, Error, V2024_12_02, V2025_02_17, V2025_12_18};
use cintx::target_group::TargetGroup;

async fn library(
    first: Client<V2024_12_02>,
    second: Client<V2025_02_17>,
    newest: Client<V2025_12_18>,
    group: TargetGroup<V2025_12_18>,
) -> Result<(), Error> {
    let _ = first.questions("eng_gb").only_custom();
    let _ = second.suggest_field_of_days("eng_gb", 5).await?;
    let _ = newest.question_index("eng_gb");
    let _ = newest.question_details("eng_gb", 42).await?;
    let _ = group.exclusion_lists();
    Ok(())
}

fn main() {}
