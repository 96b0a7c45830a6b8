//! Respondents: kept out by list, by group, by activity and by policy, asked again, handed codes, moved on.

use crate::stage::Stage;

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
pub async fn policies<V: cintx::exclusion::HasExclusionPolicies>(stage: &Stage<V>) {
    let project = stage.project().await;
    let group = super::field::priced(stage, &project).await;
    stage.cint.project(&project).set_exclusion_policies([(&group, true)]).await.unwrap();
}

#[cfg(feature = "v2025-02-17")]
pub async fn exclusion_lists(stage: &Stage<cintx::V2025_02_17>) {
    let group = super::field::priced(stage, &stage.project().await).await;
    group.exclusion_lists().add_rids([uuid(1)]).await.unwrap();
    group.exclusion_lists().add_cids([uuid(2)]).await.unwrap();
}

#[cfg(feature = "v2025-12-18")]
pub async fn newest(stage: &Stage<cintx::V2025_12_18>) {
    use cintx::exclusion::{ActivityExclusion, ExcludedBy};
    use cintx::recontact::RecontactBy;
    use cintx::respondent::{RespondentMode, RespondentOutcome};

    let (project, other) = (stage.project().await, stage.project().await);
    let group = super::field::priced(stage, &project).await;
    let sibling = super::field::priced(stage, &project).await;
    let _ = group.exclusions().upload(ExcludedBy::Rsid, [uuid(1)]).await.unwrap();
    let _ = group.recontacts().upload(RecontactBy::Rsid, [uuid(1)]).await.unwrap();
    group.unique_codes(RespondentMode::Live).upload(["wave-1"]).await.unwrap();
    group.unique_codes(RespondentMode::Test).upload(["test-1"]).await.unwrap();
    let within = ActivityExclusion::of(&other).within("P2W".parse().unwrap());
    group.set_activity_exclusions([within, ActivityExclusion::of(&sibling)]).await.unwrap();

    let groups = stage.cint.exclusion_groups();
    let id = groups.create("drinks", "Nobody takes part twice.").await.unwrap();
    groups.update(&id).tag("drinks-2027").description("Once is enough.").await.unwrap();
    groups.add(&id, [&group]).await.unwrap();
    groups.remove(&id, [&group]).await.unwrap();

    let server = cintx::Client::<cintx::V2025_12_18>::builder()
        .token("not-for-this-host")
        .account(stage.cint.account())
        .api_url(stage.sandbox.api_url())
        .server_to_server_url(stage.sandbox.s2s_url())
        .server_to_server_key(stage.sandbox.s2s_key())
        .build()
        .unwrap();
    let rid = stage.sandbox.enter_respondent(group.id().as_str()).unwrap();
    server.respondent(rid).transition(RespondentOutcome::Complete).await.unwrap();
}
