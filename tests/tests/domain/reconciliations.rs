//! Reconciliation after the submission: the lists of what was submitted, what became of each target group, reasons.

use cintx::{Reason, ReconciliationRow, ReconciliationStatus, TargetGroup, Version};
use jiff::{Timestamp, ToSpan as _};

use crate::stage::Stage;

const STRANGER: &str = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";

macro_rules! quickly {
    ($version:ident $marker:ident $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            super::$name(crate::stage::Stage::<cintx::$marker>::quick().await).await;
        }
    };
}
use quickly;

mod submissions_are_listed {
    cintx_tests::for_each_version!(super::quickly, submissions_are_listed);
}

mod reasons_are_listed {
    cintx_tests::for_each_version!(super::quickly, reasons_are_listed);
}

/// A target group in field, and respondents in its survey.
async fn in_field<V: Version>(stage: &Stage<V>, respondents: usize) -> (TargetGroup<V>, Vec<String>) {
    let group = stage.draft(&stage.project().await).create().await.unwrap();
    group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let id = group.id().as_str();
    let rids = (0..respondents).map(|_| stage.sandbox.enter_respondent(id).unwrap()).collect();
    (group, rids)
}

async fn submissions_are_listed<V: Version>(stage: Stage<V>) {
    let (group, rids) = in_field(&stage, 2).await;
    let reconciliations = stage.cint.reconciliations();
    let rows = [
        ReconciliationRow::new(&*rids[0], Reason::AdjustedComplete),
        ReconciliationRow::new(&*rids[1], Reason::AdjustedComplete),
        ReconciliationRow::new(STRANGER, Reason::Speeder),
    ];
    let first = reconciliations.submit("wave.csv", rows).await.unwrap();
    let outcome = first.until_done().await.unwrap();
    let counts = outcome.counts;
    assert_eq!((outcome.status, counts.submitted, counts.expired), (ReconciliationStatus::Complete, Some(3), Some(0)));
    assert_eq!((counts.invalid, counts.positive_reversed, counts.negative_reversed), (Some(1), Some(2), Some(0)));

    let groups = first.target_groups().page_size(1).stream().collect().await.unwrap();
    assert_eq!(groups.len(), 1, "the stranger is in none");
    assert_eq!((&groups[0].id, groups[0].counts.positive_reversed), (group.id(), Some(2)));
    assert_eq!(groups[0].status, Some(ReconciliationStatus::Complete));
    assert_eq!(first.target_group(&groups[0]).await.unwrap(), groups[0]);
    let elsewhere = first.target_group(cintx::TargetGroupId::new("01JABCDEFGHJKMNPQRSTVWXYZ0")).await.unwrap_err();
    assert!(elsewhere.is_not_found(), "{elsewhere}");

    let mut later = Vec::new();
    for name in ["wave.csv", "wave.csv", "wave.csv", "wave.csv", "other.csv"] {
        let row = ReconciliationRow::new(&*rids[0], Reason::Speeder);
        later.push(reconciliations.submit(name, [row]).await.unwrap());
    }
    let named = reconciliations.list().name("wave.csv").page_size(2).stream().collect().await.unwrap();
    assert_eq!(named.len(), 5);
    let oldest = named.iter().find(|it| it.id == *first.id()).unwrap();
    assert_eq!((oldest.name.as_deref(), &oldest.counts), (Some("wave.csv"), &counts));
    assert!(oldest.status == Some(ReconciliationStatus::Complete) && oldest.submitted_at.is_some());
    assert_eq!(oldest.submitted_by, Some(stage.manager));
    assert_eq!(reconciliations.existing(oldest).status().await.unwrap().counts, counts);
    let is = V::DATE == "2025-12-18";
    assert_eq!(oldest.kind, is.then_some(cintx::ReconciliationKind::RejectedRids), "only 2025-12-18 says");

    let under_way = reconciliations.list().name("wave.csv").status(ReconciliationStatus::Processing).stream();
    assert_eq!(under_way.collect().await.unwrap().len(), 0);
    let mine = reconciliations.list().name("other.csv").submitted_by(stage.manager).stream().collect().await.unwrap();
    assert_eq!(mine.iter().map(|it| &it.id).collect::<Vec<_>>(), [later[4].id()]);
    let somebody = STRANGER.parse().unwrap();
    let theirs = reconciliations.list().name("wave.csv").submitted_by(somebody).stream().collect().await.unwrap();
    assert!(theirs.is_empty());
    if V::DATE != "2025-02-17" {
        assert_eq!(reconciliations.list().page_size(4).stream().collect().await.unwrap().len(), 6);
    }
    stage.assert_no_violation();
}

async fn reasons_are_listed<V: Version>(stage: Stage<V>) {
    let codes = stage.cint.reconciliations().reason_codes().await.unwrap();
    let ours: Vec<Reason> = codes.iter().filter_map(cintx::ReasonCode::reason).collect();
    assert_eq!(ours.len(), 8, "{codes:?}");
    assert!(codes.len() > ours.len(), "there are codes that buyers may not give");
    for code in &codes {
        let may = code.allowed.unwrap_or(code.reason().is_some());
        assert_eq!(code.reason().is_some(), may, "{code:?}");
        assert_eq!(code.allowed.is_some(), V::DATE == "2025-12-18");
    }
    stage.assert_no_violation();
}
