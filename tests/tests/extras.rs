//! What the raw crate's optional features give: mocks with the operations' own types, and JSON Schema of the types.
//! One operation of each kind is mocked; schemas are asked about instances made from the document.

#![cfg(feature = "v2025-12-18")]

use cintx_raw::mock::{MockServerExt as _, RawBody};
use cintx_raw::v2025_12_18::{
    Client, GetListTargetGroupsParams, PostReconciliationsParams, endpoints, operations, types,
};
use cintx_raw::{BearerTransport, ErrorKind, File, Operation};
use cintx_tests::document::{Document, json_schema};
use cintx_tests::instances::instances;
use httpmock::MockServer;
use schemars::JsonSchema;
use serde_json::{Value, json};

const ULID: &str = "01BX5ZZKBKACTAV9WEVGEMMVS0";
const UPLOAD: &str = "rid,reason\r\n7d6d3f8a,41\r\n";

async fn setup() -> (MockServer, Client) {
    let server = MockServer::start_async().await;
    let direct = BearerTransport::new("token").unwrap().base_url(&server.base_url());
    let direct = direct.server_to_server("key", Some(&server.base_url())).unwrap();
    (server, Client::new(direct))
}

#[tokio::test]
async fn a_mock_answers_its_own_request_and_no_other() {
    let (server, cint) = setup().await;
    let mock = server.operation(endpoints::GetListTargetGroups, |when, then| {
        when.path("project_id", "a/b c").query("status", "live").query("status", "paused");
        let mut answer = types::TargetGroupsList::default();
        answer.has_more = Some(false);
        then.answer(&answer).header("etag", "W/\"7\"");
    });
    let status = vec![types::TargetGroupStatus::from("live"), types::TargetGroupStatus::from("paused")];
    let params = GetListTargetGroupsParams { status: Some(status), ..Default::default() };
    let page = cint.get_list_target_groups_with(2428, "a/b c", &params).await.unwrap();
    assert_eq!((page.value().has_more, page.etag()), (Some(false), Some("W/\"7\"")));
    // Another id, another filter: not what was mocked.
    assert!(cint.get_list_target_groups_with(2428, "other", &params).await.is_err());
    assert!(cint.get_list_target_groups_with(2428, "a/b c", &Default::default()).await.is_err());
    assert_eq!(mock.calls(), 1);
}

#[tokio::test]
async fn uploads_and_downloads_are_mocked_by_their_content() {
    let (server, cint) = setup().await;
    let csv = server.operation(endpoints::PostReconciliations, |when, then| {
        when.body(&RawBody(UPLOAD.into())).header("content-type", "text/csv");
        let mut answer = types::SubmitReconciliationsResponse::default();
        answer.name = Some("march".to_owned());
        then.answer(&answer);
    });
    let params = PostReconciliationsParams { name: None };
    assert_eq!(cint.post_reconciliations_with(2428, None, UPLOAD, &params).await.unwrap().status(), 202);
    assert!(cint.post_reconciliations_with(2428, None, "another", &params).await.is_err());
    csv.assert();

    let file = server.operation(endpoints::RecontactCreateUploadRsidsByFileJob, |when, then| {
        when.body(&RawBody(UPLOAD.into()));
        let mut answer = types::CreateRecontactUploadRsidsByFileJobResponse::default();
        answer.job_id = Some(ULID.into());
        then.answer(&answer);
    });
    let upload = |content: &'static str| File::new("rsids.csv", content);
    assert!(cint.recontact_create_upload_rsids_by_file_job(2428, ULID, ULID, &upload(UPLOAD)).await.is_ok());
    assert!(cint.recontact_create_upload_rsids_by_file_job(2428, ULID, ULID, &upload("another")).await.is_err());
    file.assert();

    let download = server.operation(endpoints::RecontactDownloadJobFile, |when, then| {
        when.path("job_id", ULID);
        then.answer(&RawBody(UPLOAD.into()));
    });
    let answer = cint.recontact_download_job_file(2428, ULID, ULID, ULID).await.unwrap();
    assert_eq!(answer.into_value().collect(1024).await.unwrap(), UPLOAD);
    download.assert();
}

#[tokio::test]
async fn refusals_and_the_other_host_are_mocked_too() {
    let (server, cint) = setup().await;
    let moved = server.operation(endpoints::UpdateRespondentStatus, |when, then| {
        when.header("authorization", "key");
        then.error(422, "respondent_status_error", "is that already");
    });
    let error = cint.update_respondent_status(None).await.unwrap_err();
    assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (ErrorKind::Status, Some(422)));
    assert_eq!(error.api().and_then(|api| api.object()), Some("respondent_status_error"));
    moved.assert();
    let paused = server.operation(endpoints::PauseFieldingRun, |when, then| {
        when.header("if-match", "W/\"7\"");
        then.header("etag", "W/\"8\"");
    });
    let run = cint.pause_fielding_run(2428, ULID, ULID, ULID, Some("W/\"7\"")).await.unwrap();
    assert_eq!((run.status().as_u16(), run.etag()), (204, Some("W/\"8\"")));
    paused.assert();
}

/// A type's schema takes what its document's schema makes, and `refused` is not taken.
fn schema_fits<T: JsonSchema>(operation: &Operation, answer: bool, refused: &[(&str, Value)]) {
    let document = Document::of("2025-12-18");
    let operations = document.operations();
    let found = operations.iter().find(|found| found.id == operation.document_id).unwrap();
    let schema = if answer {
        let answers = document.answers(found);
        answers.into_iter().find(|(status, _)| (200..300).contains(status)).and_then(|(_, answer)| json_schema(answer))
    } else {
        document.request_schema(found)
    };
    let derived = schemars::schema_for!(T).to_value();
    let validator = jsonschema::validator_for(&derived).unwrap();
    let made = instances(&document, schema.unwrap());
    for case in &made {
        let errors: Vec<String> = validator.iter_errors(&case.value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{} ({}): {}", operation.id, case.name, errors.join("; "));
    }
    for (pointer, wrong) in refused {
        let mut value = made[0].value.clone();
        *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not there")) = wrong.clone();
        assert!(!validator.is_valid(&value), "{} takes {wrong} at {pointer}", operation.id);
    }
}

#[test]
fn schemas_take_what_the_documents_describe() {
    schema_fits::<types::ProjectInfo>(&operations::CREATE_PROJECT, false, &[("/name", json!(1)), ("", json!([]))]);
    schema_fits::<types::CreateDraftTargetGroupRequest>(
        &operations::CREATE_TARGET_GROUP,
        false,
        &[("/completes_goal", json!("many")), ("/name", json!(null))],
    );
    schema_fits::<types::TargetGroupsList>(
        &operations::GET_LIST_TARGET_GROUPS,
        true,
        &[("/target_groups", json!({})), ("/has_more", json!("yes"))],
    );
    schema_fits::<types::TargetGroupChangelogList>(
        &operations::GET_TARGET_GROUP_CHANGELOG,
        true,
        &[("/changelog", json!(1))],
    );
}
