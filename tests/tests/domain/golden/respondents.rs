//! Respondents: kept out by list, by group, by activity and by policy, asked again, handed codes, moved on.

use crate::setup::Setup;

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
pub async fn policies<V: cintx::exclusion::HasExclusionPolicies>(setup: &Setup<V>) {
    let project = setup.project().await;
    let group = super::field::priced(setup, &project).await;
    setup.cint.project(&project).set_exclusion_policies([(&group, true)]).await.unwrap();
}

#[cfg(feature = "v2025-02-17")]
pub async fn exclusion_lists(setup: &Setup<cintx::V2025_02_17>) {
    let group = super::field::priced(setup, &setup.project().await).await;
    group.exclusion_lists().add_rids([uuid(1)]).await.unwrap();
    group.exclusion_lists().add_cids([uuid(2)]).await.unwrap();
}

#[cfg(feature = "v2025-12-18")]
pub async fn newest<V: cintx_tests::Latest>(setup: &Setup<V>) {
    use cintx::exclusion::{ActivityExclusion, ExcludedBy};
    use cintx::recontact::RecontactBy;
    use cintx::respondent::{RespondentMode, RespondentOutcome};
    use cintx::target_group::{ReEntry, ReEntryRule};

    let (project, other) = (setup.project().await, setup.project().await);
    let group = super::field::priced(setup, &project).await;
    let sibling = super::field::priced(setup, &project).await;
    let _ = group.exclusions().upload(ExcludedBy::Rsid, [uuid(1)]).await.unwrap();
    let _ = group.recontacts().upload(RecontactBy::Rsid, [uuid(1)]).await.unwrap();
    group.unique_codes(RespondentMode::Live).upload(["wave-1"]).await.unwrap();
    group.unique_codes(RespondentMode::Test).upload(["test-1"]).await.unwrap();
    let within = ActivityExclusion::of(&other).within("P2W".parse().unwrap());
    group.set_activity_exclusions([within, ActivityExclusion::of(&sibling)]).await.unwrap();

    let draft = setup.draft(&project).exclude_project(false).exclude_activity([ActivityExclusion::of(&other)]);
    let draft = draft.re_entry(ReEntry::new(ReEntryRule::OTHERS)).create().await.unwrap();
    draft.set_re_entry(&ReEntry::new(ReEntryRule::NEVER)).await.unwrap();

    let groups = setup.cint.exclusion_groups();
    let id = groups.create("drinks", "Nobody takes part twice.").await.unwrap();
    groups.update(&id).tag("drinks-2027").description("Once is enough.").await.unwrap();
    groups.add(&id, [&group]).await.unwrap();
    groups.remove(&id, [&group]).await.unwrap();

    let s2s = cintx::respondent::ServerToServer::builder().url(setup.sandbox.s2s_url()).key(setup.sandbox.s2s_key());
    let s2s = s2s.build().unwrap();
    let rid = setup.sandbox.enter_respondent(group.id().as_str()).unwrap();
    let link = s2s.status(&rid).await.unwrap().links.remove(0);
    let cintx::respondent::Entry::Admitted(admitted) = s2s.validate(&rid, &link).await.unwrap() else { panic!() };
    s2s.finish(&admitted, RespondentOutcome::Complete).await.confirmed().unwrap();
}
