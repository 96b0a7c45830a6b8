//! Settling on the sandbox: what a lost answer did is found out by key, by entity tag, by search, or honestly not at all.

use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, RetryPolicy, Timeouts};
use cintx::recovery::Resolution;
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, Outcome, V2025_12_18};
use cintx_raw::v2025_12_18::types;
use cintx_sandbox::{Fault, Sandbox};
use jiff::{Timestamp, ToSpan as _};

use crate::support::hasty;

async fn setup() -> (Sandbox, Client<V2025_12_18>) {
    let sandbox = Sandbox::builder().seed(11).start().await.unwrap();
    let client = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .server_to_server_url(sandbox.s2s_url())
        .server_to_server_key(sandbox.s2s_key())
        .retry(hasty())
        .timeouts(Timeouts::standard().processing(Duration::ZERO))
        .build()
        .unwrap();
    (sandbox, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyed_write_is_settled_by_its_key() {
    let (sandbox, client) = setup().await;
    let manager = sandbox.project_manager_id().parse::<cintx::UserId>().unwrap();
    let once = client.with(cintx::client::CallOptions::new().retry(RetryPolicy::none()));
    for lost in [Fault::on("create_project").drop_before_applying(), Fault::on("create_project").drop_after_applying()]
    {
        sandbox.inject(lost.times(1));
        let error = once.projects().create("MyDrinksSurveyQ1", manager).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        let resolution = client.resolve(&error).await.unwrap();
        assert!(matches!(resolution, Resolution::Applied { id: Some(_) }), "{resolution:?}");
        // Twice asked, the same answer.
        assert_eq!(client.resolve(&error).await.unwrap(), resolution);
    }
    let projects =
        client.raw().list_account_projects_with(client.account(), &Default::default()).await.unwrap().into_value();
    assert_eq!(projects.projects.unwrap().len(), 2, "one for each wish");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_settled_by_the_entity_tag_and_the_state() {
    let (sandbox, client) = setup().await;
    let manager = sandbox.project_manager_id().parse::<cintx::UserId>().unwrap();
    let project = client.projects().create("MyDrinksSurveyQ1", manager).await.unwrap();
    let start = Timestamp::now() + 2.hours();
    let group = client
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(100)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD").unwrap())
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]))
        .create()
        .await
        .unwrap();
    let mut run = group.launch(start + 240.hours()).await.unwrap().until_live().await.unwrap();
    sandbox.inject(Fault::on("pause_fielding_run").drop_before_applying().times(1));
    let error = run.pause().await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 1));
    assert_eq!(client.resolve(&error).await.unwrap(), Resolution::NotApplied);
    sandbox.inject(Fault::on("pause_fielding_run").drop_after_applying().times(1));
    let error = run.pause().await.unwrap_err();
    assert_eq!(client.resolve(&error).await.unwrap(), Resolution::Applied { id: None });

    // It is not resumed, but its tag is another: somebody else changed something.
    let mut run = group.fielding_run().await.unwrap().unwrap();
    let mut theirs = group.fielding_run().await.unwrap().unwrap();
    sandbox.inject(Fault::on("resume_fielding_run").drop_before_applying().times(1));
    let error = run.resume().await.unwrap_err();
    let end = start + 264.hours();
    theirs.edit_dates(move |dates| dates.end = end).await.unwrap();
    let resolution = client.resolve(&error).await.unwrap();
    assert!(matches!(resolution, Resolution::Unknown { .. }), "{resolution:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_of_a_respondent_stays_unknown_and_says_so() {
    let (sandbox, client) = setup().await;
    sandbox.inject(Fault::on("update_respondent_status").drop_after_applying().times(1));
    let body = types::RespondentFillfilmentTransitionRequest {
        id: "0F1CE179-A917-49FF-9D50-B05FC91F7BD4".to_owned(),
        status: 5,
    };
    let error = cintx::Error::from(client.raw().update_respondent_status(Some(&body)).await.unwrap_err());
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 1));
    let resolution = client.resolve(&error).await.unwrap();
    assert!(matches!(&resolution, Resolution::Unknown { why } if why.contains("no way")), "{resolution:?}");
}
