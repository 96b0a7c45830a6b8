//! Who shall not be asked, on each version that can be told: lists, groups, activity, policies.

#[cfg(feature = "v2025-12-18")]
use cintx::V2025_12_18;

use crate::setup::Setup;

#[cfg(feature = "v2025-12-18")]
mod newest {
    use cintx::TargetGroupId;
    use cintx::error::FieldError;
    use cintx::exclusion::{ActivityExclusion, ActivitySource, ExcludedBy};
    use cintx::job::JobStatus;
    use cintx::respondent::IdList;

    use super::*;

    fn uuid(number: usize) -> String {
        format!("00000000-0000-4000-8000-{number:012}")
    }

    #[tokio::test]
    async fn respondents_are_kept_out_by_list() {
        let setup = Setup::<V2025_12_18>::new().await;
        let group = setup.draft(&setup.project().await).create().await.unwrap();
        let exclusions = group.exclusions();
        let many: IdList = (0..2_500).map(uuid).collect();
        let job = exclusions.upload(ExcludedBy::Rsid, many).await.unwrap();
        let done = exclusions.upload_job(job.id().clone()).until_done().await.unwrap();
        assert!(done.completed_at.is_some() && done.partial_success.is_none(), "{done:?}");
        exclusions
            .upload(ExcludedBy::AccessRespondentGuid, [uuid(7), uuid(8)])
            .await
            .unwrap()
            .until_done()
            .await
            .unwrap();

        let overview = exclusions.overview().await.unwrap();
        assert_eq!((overview.rsids, overview.access_respondent_guids), (Some(2_500), Some(2)));
        let all = exclusions.rsids().page_size(1_000).stream().collect().await.unwrap();
        assert_eq!((all.len(), &*all[2_499]), (2_500, &*uuid(2_499)));
        assert_eq!(exclusions.access_respondent_guids().stream().collect().await.unwrap(), [uuid(7), uuid(8)]);
        let refused = exclusions.rsids().page_size(1_001).stream().collect().await.unwrap_err();
        assert_eq!(refused.invalid_fields()[0].to_string(), "page_size is 1001, expected 1 to 1000");

        let job = exclusions.remove_all(ExcludedBy::Rsid).await.unwrap();
        exclusions.removal_job(job.id().clone()).until_done().await.unwrap();
        assert_eq!(exclusions.overview().await.unwrap().rsids, Some(0));
        setup.assert_no_violation();
    }

    #[tokio::test]
    async fn a_job_that_fails_says_why() {
        let setup = Setup::<V2025_12_18>::new().await;
        let group = setup.draft(&setup.project().await).create().await.unwrap();
        setup.sandbox.fail_next_jobs(1);
        let job = group.exclusions().upload(ExcludedBy::Rsid, [uuid(1)]).await.unwrap();
        let failure = job.until_done().await.unwrap_err();
        assert!(failure.job_failure().unwrap().code.is_some());
        assert!(matches!(job.status().await.unwrap(), JobStatus::Failed(_)));
    }

    #[tokio::test]
    async fn wrong_lists_are_refused_unsent() {
        let setup = Setup::<V2025_12_18>::new().await;
        let group = setup.cint.project(cintx::ProjectId::new("P")).target_group(TargetGroupId::new("G"));
        let exclusions = group.exclusions();
        let refusal = async |ids: IdList| {
            let refused = exclusions.upload(ExcludedBy::Rsid, ids).await.unwrap_err();
            refused.invalid_fields().iter().map(FieldError::to_string).collect::<Vec<_>>()
        };
        let form = "expected a UUID such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";
        assert_eq!(refusal(IdList::default()).await, ["ids are none, expected 1 to 100000"]);
        // A header, an empty line, an id without hyphens, one with a comma behind it.
        let lines = ["rsid", "", &uuid(1), &uuid(1).replace('-', ""), &format!("{},", uuid(2)), "\u{fc}"];
        let wrong = refusal(IdList::from(lines)).await;
        assert_eq!(wrong[0], format!("ids number 1 is \"rsid\", {form}"));
        assert!(wrong[1].starts_with("ids number 4 is \"00000000000040008000000000000001\""), "{}", wrong[1]);
        assert!(wrong[2].starts_with("ids number 5 is ") && wrong[3].starts_with("ids number 6 is "), "{wrong:?}");
        assert_eq!(wrong.len(), 4);
        // Endless input is not read to its end, many mistakes are not all told.
        let too_many = refusal((0..).map(uuid).collect()).await;
        assert_eq!(too_many, ["ids are more than 100000, expected 1 to 100000"]);
        let all_wrong = refusal((0..1_000).map(|number| format!("{number}{}", "x".repeat(500))).collect()).await;
        assert_eq!((all_wrong.len(), &*all_wrong[20]), (21, "ids 980 more are wrong in the same way"));
        assert!(all_wrong.iter().all(|problem| problem.len() < 200));
        assert!(setup.sandbox.requests().is_empty());
    }

    #[tokio::test]
    async fn target_groups_exclude_each_other() {
        let setup = Setup::<V2025_12_18>::new().await;
        let project = setup.project().await;
        let waves = [setup.draft(&project).create().await.unwrap(), setup.draft(&project).create().await.unwrap()];
        let groups = setup.cint.exclusion_groups();
        let id = groups.create("drinks", "Nobody takes part twice.").await.unwrap();
        groups.add(&id, &waves).await.unwrap();
        groups.update(&id).tag("drinks-2027").await.unwrap();
        let kept = groups.get(&id).await.unwrap();
        assert_eq!(
            (kept.tag.as_deref(), kept.description.as_deref()),
            (Some("drinks-2027"), Some("Nobody takes part twice."))
        );
        assert!(kept.created_at.is_some() && kept.updated_at >= kept.created_at);
        let mut members = groups.members(&id).page_size(1).stream().collect().await.unwrap();
        members.sort();
        let mut wanted: Vec<_> = waves.iter().map(|wave| wave.id().clone()).collect();
        wanted.sort();
        assert_eq!(members, wanted);
        assert_eq!(waves[0].exclusion_groups().stream().collect().await.unwrap(), [kept]);

        assert_eq!(groups.delete(&id).await.unwrap_err().status().map(|status| status.as_u16()), Some(409));
        groups.remove(&id, &waves).await.unwrap();
        for number in 0..25 {
            groups.create(&format!("tag {number}"), "").await.unwrap();
        }
        assert_eq!(groups.list().page_size(7).stream().collect().await.unwrap().len(), 26);
        groups.delete(&id).await.unwrap();
        assert!(groups.get(&id).await.unwrap_err().is_not_found());
        setup.assert_no_violation();
    }

    #[tokio::test]
    async fn wrong_groups_are_refused_unsent() {
        let setup = Setup::<V2025_12_18>::new().await;
        let groups = setup.cint.exclusion_groups();
        let id = cintx::ExclusionGroupId::new("E");
        let one = |error: cintx::Error| error.invalid_fields()[0].to_string();
        assert_eq!(one(groups.create("", "").await.unwrap_err()), "tag has 0 characters, expected 1 to 128");
        let both = groups.create(&"\u{fc}".repeat(129), &"d".repeat(501)).await.unwrap_err();
        let both: Vec<_> = both.invalid_fields().iter().map(FieldError::to_string).collect();
        assert_eq!(
            both,
            ["tag has 129 characters, expected 1 to 128", "description has 501 characters, expected at most 500",]
        );
        assert_eq!(one(groups.update(&id).await.unwrap_err()), "change is none, expected a tag or a description");
        assert_eq!(one(groups.update(&id).tag("").await.unwrap_err()), "tag has 0 characters, expected 1 to 128");
        let nobody = groups.add(&id, Vec::<TargetGroupId>::new()).await.unwrap_err();
        assert_eq!(one(nobody), "target_groups are none, expected at least one");
        let odd = groups.remove(&id, [TargetGroupId::new("g1")]).await.unwrap_err();
        assert_eq!(one(odd), "target_groups has the id \"g1\", expected 26 digits and capital letters");
        let crowd = (0..101).map(|number| TargetGroupId::new(format!("{number:026}")));
        assert_eq!(one(groups.add(&id, crowd).await.unwrap_err()), "target_groups are 101, expected at most 100");
        assert!(setup.sandbox.requests().is_empty());
    }

    #[tokio::test]
    async fn a_draft_says_who_may_enter() {
        use cintx::target_group::{ReEntry, ReEntryRule};

        let setup = Setup::<V2025_12_18>::new().await;
        let (project, other) = (setup.project().await, setup.project().await);
        let mut re_entry = ReEntry::new(ReEntryRule::OTHERS);
        re_entry.overquota.screener_side = ReEntryRule::ALWAYS;
        let activity = ActivityExclusion::of(&other).within("P2M".parse().unwrap());
        let draft = setup.draft(&project).exclude_project(true).exclude_activity([activity.clone()]);
        let group = draft.re_entry(re_entry).create().await.unwrap();
        let read = group.draft().await.unwrap();
        assert_eq!((read.excludes_project(), read.re_entry()), (Some(true), Some(re_entry)));
        assert_eq!(read.activity_exclusions(), std::slice::from_ref(&activity));

        group.set_re_entry(&ReEntry::new(ReEntryRule::NEVER)).await.unwrap();
        let changed = group.draft().await.unwrap();
        assert_eq!(changed.re_entry(), Some(ReEntry::new(ReEntryRule::NEVER)));
        assert_eq!((changed.activity_exclusions(), changed.settings), (vec![activity], read.settings), "nothing else");

        let own = setup.draft(&project).exclude_activity([ActivityExclusion::of(&project)]);
        let refused = own.create().await.unwrap_err();
        assert_eq!(refused.invalid_fields()[0].field(), "activity_exclusions");
        setup.assert_no_violation();
    }

    #[tokio::test]
    async fn recent_activity_keeps_out() {
        let setup = Setup::<V2025_12_18>::new().await;
        let (project, other) = (setup.project().await, setup.project().await);
        let group = setup.draft(&project).create().await.unwrap();
        let sibling = setup.draft(&project).create().await.unwrap();
        let wanted = [
            ActivityExclusion::of(&other).within("P2W".parse().unwrap()),
            ActivityExclusion::of(&sibling).within("P1Y1M".parse().unwrap()),
        ];
        group.set_activity_exclusions(wanted.clone()).await.unwrap();
        assert_eq!(group.activity_exclusions().await.unwrap(), wanted);
        group.set_activity_exclusions([ActivityExclusion::of(&sibling)]).await.unwrap();
        let now = group.activity_exclusions().await.unwrap();
        assert_eq!(now, [ActivityExclusion::of(&sibling).within("P90D".parse().unwrap())], "the list was replaced");

        let before = setup.sandbox.requests().len();
        for wrong in [
            ActivityExclusion::of(&group),
            ActivityExclusion::of(&project),
            ActivityExclusion::of(TargetGroupId::new("x")),
            ActivityExclusion::of(ActivitySource::Unknown { kind: "account".into(), id: "1".into() }),
        ] {
            let refused = group.set_activity_exclusions([wrong]).await.unwrap_err();
            let problem = &refused.invalid_fields()[0];
            assert_eq!(problem.field(), "activity_exclusions");
            assert!(problem.reason().contains("expected"), "{problem}");
        }
        assert_eq!(setup.sandbox.requests().len(), before);
        setup.assert_no_violation();
    }
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn the_second_version_takes_lists_at_once() {
    let setup = Setup::<cintx::V2025_02_17>::new().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let (one, two) = ("2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2", "00000000-0000-4000-8000-000000000002");
    let lists = group.exclusion_lists();
    lists.add_rids([one]).await.unwrap();
    lists.add_cids([two, one]).await.unwrap();
    assert_eq!(lists.rids().await.unwrap(), [one]);
    assert_eq!(lists.cids().await.unwrap(), [two, one]);
    let refused = lists.add_rids(["1"]).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "ids");
    let many: cintx::respondent::IdList =
        (0..10_001).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect();
    let refused = lists.add_cids(many).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), "ids are 10001, expected 1 to 10000");
    setup.assert_no_violation();
}

async fn the_project_is_kept_out<V: cintx::exclusion::HasExclusionPolicies>() {
    let setup = Setup::<V>::new().await;
    let project = setup.project().await;
    let (one, two) = (setup.draft(&project).create().await.unwrap(), setup.draft(&project).create().await.unwrap());
    let scope = setup.cint.project(&project);
    scope.set_exclusion_policies([(&one, true), (&two, false)]).await.unwrap();
    let mut policies = scope.exclusion_policies().await.unwrap();
    policies.sort();
    let mut wanted = vec![(one.id().clone(), true), (two.id().clone(), false)];
    wanted.sort();
    assert_eq!(policies, wanted);
    let policy = one.exclusion_policy().await.unwrap();
    assert!(policy.excludes_project && policy.updated_at.is_some() && policy.updated_by.is_some());
    let none = scope.set_exclusion_policies(Vec::<(cintx::TargetGroupId, bool)>::new()).await.unwrap_err();
    assert_eq!(none.invalid_fields()[0].to_string(), "policies are none, expected at least one");
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn the_project_is_kept_out_in_the_second_version() {
    the_project_is_kept_out::<cintx::V2025_02_17>().await;
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_project_is_kept_out_in_the_newest_version() {
    the_project_is_kept_out::<V2025_12_18>().await;
}
