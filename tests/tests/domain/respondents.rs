//! Respondents, on the version that has them: asked again by list, handed a code.

use cintx::error::{ErrorKind, FieldError};
use cintx::recontact::{RecontactBy, UploadStatus};
use cintx::respondent::{IdList, RespondentMode};
use cintx::{Outcome, ProjectId, TargetGroupId, V2025_12_18};
use futures_util::TryStreamExt as _;

use crate::setup::Setup;

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[tokio::test]
async fn respondents_are_asked_again() {
    let setup = Setup::<V2025_12_18>::new().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let recontacts = group.recontacts();
    let job = recontacts.upload(RecontactBy::Rsid, (0..250).map(uuid).collect::<IdList>()).await.unwrap();
    assert!(recontacts.upload_job(job.id().clone()).until_done().await.unwrap().completed_at.is_some());
    assert_eq!(recontacts.count().await.unwrap(), 250);
    let all = recontacts.rsids().page_size(100).stream().collect().await.unwrap();
    assert_eq!((all.len(), &*all[249]), (250, &*uuid(249)));

    // Nobody of these has been here.
    let strangers = recontacts.upload(RecontactBy::Rid, [uuid(1)]).await.unwrap();
    assert!(strangers.until_done().await.unwrap_err().job_failure().is_some());
    recontacts.upload(RecontactBy::RespondentId, ["r-1"]).await.unwrap().until_done().await.unwrap_err();
    recontacts.upload(RecontactBy::ResponseId, ["s_1"]).await.unwrap().until_done().await.unwrap_err();

    let uploads = recontacts.uploads().page_size(2).stream().collect().await.unwrap();
    assert_eq!(uploads.len(), 4);
    let first = uploads.iter().find(|upload| upload.job == *job.id()).unwrap();
    assert_eq!((first.status.clone(), first.file_name.as_deref()), (Some(UploadStatus::Completed), Some("ids.csv")));
    assert!(uploads.iter().any(|upload| upload.status == Some(UploadStatus::Failed)));
    let file: Vec<_> = recontacts.download(job.id()).await.unwrap().try_collect().await.unwrap();
    assert_eq!(file.concat().iter().filter(|byte| **byte == b'\n').count(), 250);

    let job = recontacts.remove_all().await.unwrap();
    recontacts.removal_job(job.id().clone()).until_done().await.unwrap();
    assert_eq!(recontacts.count().await.unwrap(), 0);
    setup.assert_no_violation();
}

#[tokio::test]
async fn codes_are_handed_out() {
    let setup = Setup::<V2025_12_18>::new().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    for codes_for in [RespondentMode::Live, RespondentMode::Test] {
        let codes = group.unique_codes(codes_for);
        let list: IdList = (0..20_000).map(|number| format!("wave_2-{number}")).collect();
        assert_eq!(codes.upload(list).await.unwrap(), 20_000);
        let stats = codes.stats().await.unwrap();
        assert_eq!((stats.total, stats.unconsumed), (Some(20_000), Some(20_000)));
        codes.delete_unconsumed().await.unwrap();
        assert_eq!(codes.stats().await.unwrap().unconsumed, Some(0));
    }
    setup.assert_no_violation();
}

#[tokio::test]
async fn wrong_codes_and_ids_are_refused_unsent() {
    let setup = Setup::<V2025_12_18>::new().await;
    let group = setup.cint.project(ProjectId::new("P")).target_group(TargetGroupId::new("G"));
    let codes = group.unique_codes(RespondentMode::Live);
    let refusal = async |list: IdList| {
        let refused = codes.upload(list).await.unwrap_err();
        refused.invalid_fields().iter().map(FieldError::to_string).collect::<Vec<_>>()
    };
    let form = "expected 1 to 128 letters, digits, - and _";
    assert_eq!(refusal(IdList::default()).await, ["codes are none, expected 1 to 20000"]);
    assert_eq!(
        refusal((0..20_001).map(|code| code.to_string()).collect()).await,
        ["codes are 20001, expected 1 to 20000"]
    );
    let long = "c".repeat(129);
    for wrong in ["a b", "a.b", "\u{e9}", "a,b", "a/b", &long] {
        let problems = refusal(IdList::from([wrong])).await;
        assert!(problems.len() == 1 && problems[0].ends_with(form), "{problems:?}");
    }
    for (by, wrong) in [
        (RecontactBy::Rsid, "r-1"),
        (RecontactBy::Rid, "r-1"),
        (RecontactBy::RespondentId, "two words"),
        (RecontactBy::ResponseId, "a,b"),
    ] {
        let refused = group.recontacts().upload(by, [wrong]).await.unwrap_err();
        let problem = refused.invalid_fields()[0].to_string();
        assert!(problem.starts_with(&format!("ids number 1 is {wrong:?}, expected ")), "{problem}");
    }
    assert!(setup.sandbox.requests().is_empty());
}

#[tokio::test]
async fn lists_come_from_iterators_streams_and_files() {
    let texts = ["\u{feff}a1\r\n", "a2\n\n  a3  ", "\na1\n"];
    let chunks = futures_util::stream::iter(texts.map(Ok::<_, std::io::Error>));
    assert_eq!(IdList::from_stream(chunks).await.unwrap().len(), 3);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.csv");
    std::fs::write(&path, texts.concat()).unwrap();
    assert_eq!(IdList::from_file(&path).await.unwrap().len(), 3);

    // What is too large is not read, what is no text is not guessed at, what is not there is an error.
    std::fs::write(&path, vec![b'a'; 5_000_000]).unwrap();
    let refused = IdList::from_file(&path).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), "file has 5000000 bytes, expected less than 5000000");
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'a'; 100_000]));
    let refused = IdList::from_stream(endless).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "file");
    std::fs::write(&path, b"a1\n\xff\n").unwrap();
    let refused = IdList::from_file(&path).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), "file is no UTF-8 text at byte 3, expected one id a line");
}

#[tokio::test]
async fn what_fails_on_this_machine_is_no_answer_of_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("ids.cvs");
    let error = IdList::from_file(&missing).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Local, Outcome::NotSent));
    let says = format!("not sent: file is {missing:?}, expected a file that can be read");
    assert_eq!(error.to_string(), says);
    assert!(format!("{error:#}").starts_with(&format!("{says}: ")), "{error:#}");
    let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("cut"))]);
    let error = IdList::from_stream(broken).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Local, Outcome::NotSent));
    assert_eq!(format!("{error:#}"), "not sent: the stream of ids broke off: cut");
    // What is such an error already stays what it is.
    let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(IdList::from_file(&missing).await.unwrap_err())]);
    assert_eq!(IdList::from_stream(broken).await.unwrap_err().to_string(), says);
}
