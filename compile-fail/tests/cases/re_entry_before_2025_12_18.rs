//! Before 2025-12-18 nobody can say whether respondents may enter again, and activity does not keep anybody out.

use cintx::V2025_02_17;
use cintx::exclusion::ActivityExclusion;
use cintx::target_group::{DraftBuilder, ReEntry, TargetGroup};

fn draft(draft: DraftBuilder<V2025_02_17>, re_entry: ReEntry) -> DraftBuilder<V2025_02_17> {
    draft.re_entry(re_entry)
}

fn activity(draft: DraftBuilder<V2025_02_17>, exclusion: ActivityExclusion) -> DraftBuilder<V2025_02_17> {
    draft.exclude_activity([exclusion])
}

fn change(group: TargetGroup<V2025_02_17>, re_entry: ReEntry) {
    let _ = group.set_re_entry(&re_entry);
}

fn main() {}
