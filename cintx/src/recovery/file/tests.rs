//! The file torn, damaged, read-only, removed, under two names and in use.
//! Full disks and killed processes are in the tests of the pipeline.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::ops::Range;

use cintx_raw::{Body, Operation, Request};
use http::{HeaderValue, Method};
use proptest::prelude::*;

use super::*;

fn intent_of(method: &Method, target: &str) -> Intent {
    let body =
        Body { bytes: "{\"a\":\"first\\nsecond\"}".into(), content_type: HeaderValue::from_static("application/json") };
    Intent::of(
        &Request::to(Operation::undocumented(method), target).with_body(Some(body)),
        "2025-12-18",
        jiff::Timestamp::now(),
    )
}

fn intent() -> Intent {
    intent_of(&Method::POST, "/a?b=c")
}

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place { path: folder.path().join("journal"), _folder: folder }
}

fn open(path: &Path) -> FileJournal {
    FileJournal::open(path).unwrap()
}

async fn ids(journal: &FileJournal) -> Vec<String> {
    journal.open_intents().await.unwrap().into_iter().map(|intent| intent.id().to_owned()).collect()
}

#[tokio::test]
async fn what_is_not_struck_out_is_there_after_a_restart() {
    let place = place();
    let (kept, done) = (intent(), intent());
    {
        let journal = open(&place.path);
        journal.begin(&kept).await.unwrap();
        journal.begin(&done).await.unwrap();
        journal.end(done.id(), Outcome::Applied).await.unwrap();
    }
    let journal = open(&place.path);
    assert_eq!(journal.open_intents().await.unwrap(), std::slice::from_ref(&kept));
    let request = kept.request(Operation::undocumented(&Method::POST)).unwrap();
    assert_eq!((request.target(), &request.body().unwrap().bytes[..4]), ("/a?b=c", &b"{\"a\""[..]));
}

#[tokio::test]
async fn intents_stay_in_the_order_in_which_they_were_begun() {
    let place = place();
    let intents: Vec<_> = (0..50).map(|_| intent()).collect();
    let expected: Vec<_> = intents.iter().map(|intent| intent.id().to_owned()).collect();
    {
        let journal = open(&place.path);
        for intent in &intents {
            journal.begin(intent).await.unwrap();
        }
        assert_eq!(ids(&journal).await, expected);
    }
    assert_eq!(ids(&open(&place.path)).await, expected);
}

#[tokio::test]
async fn it_does_not_grow_without_end() {
    let place = place();
    let kept = intent();
    let journal = open(&place.path);
    journal.begin(&kept).await.unwrap();
    for _ in 0..500 {
        let intent = intent();
        journal.begin(&intent).await.unwrap();
        journal.end(intent.id(), Outcome::NoEffect).await.unwrap();
    }
    let len = std::fs::metadata(&place.path).unwrap().len();
    assert!(len < 2 * REWRITE_BYTES, "{len}");
    drop(journal);
    assert_eq!(open(&place.path).open_intents().await.unwrap(), [kept]);
}

#[tokio::test]
async fn a_mark_survives_the_end_of_what_set_it() {
    let place = place();
    let (first, second) = (intent_of(&Method::PUT, "/a"), intent_of(&Method::PUT, "/a?x=1"));
    let other = intent_of(&Method::PUT, "/b");
    {
        let journal = open(&place.path);
        for intent in [&first, &other, &second] {
            journal.begin(intent).await.unwrap();
        }
        journal.end(second.id(), Outcome::Applied).await.unwrap();
    }
    for rewrite in [true, false] {
        let journal = open(&place.path);
        let marks: Vec<_> =
            journal.open_intents().await.unwrap().iter().map(|it| it.superseded_by().map(str::to_owned)).collect();
        assert_eq!(marks, [Some(second.id().to_owned()), None]);
        if rewrite {
            locked(&journal.shared.file).rewrite().unwrap();
        }
    }
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let place = place();
    for text in ["milk\nbread\n", "cintx journal 2\n", "{\"begin\":{}}", "\n"] {
        std::fs::write(&place.path, text).unwrap();
        let error = FileJournal::open(&place.path).unwrap_err();
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error:?}");
        assert!(error.to_string().contains("is not a journal: its first line"), "{error}");
        assert_eq!(std::fs::read_to_string(&place.path).unwrap(), text);
    }
    let folder = FileJournal::open(place.path.parent().unwrap()).unwrap_err();
    assert!(matches!(folder, JournalError::File { .. }), "{folder:?}");
}

#[test]
fn a_journal_in_use_is_refused() {
    let place = place();
    let journal = open(&place.path);
    let error = FileJournal::open(&place.path).unwrap_err();
    assert!(matches!(&error, JournalError::InUse { path } if path.ends_with("journal")), "{error:?}");
    assert!(error.to_string().contains("is in use, by this process or another"), "{error}");
    let clone = journal.clone();
    drop(journal);
    FileJournal::open(&place.path).unwrap_err();
    drop(clone);
    open(&place.path);
}

#[test]
fn a_read_only_journal_is_refused_and_opens_once_it_may_be_written() {
    let place = place();
    let kept = intent();
    let line = Record::Begin(Box::new(kept.clone())).encode().unwrap();
    std::fs::write(&place.path, [HEADER, &line].concat()).unwrap();
    let mut permissions = std::fs::metadata(&place.path).unwrap().permissions();
    let writable = permissions.clone();
    permissions.set_readonly(true);
    std::fs::set_permissions(&place.path, permissions).unwrap();
    let error = FileJournal::open(&place.path).unwrap_err();
    let JournalError::File { path, source } = &error else { panic!("{error:?}") };
    assert_eq!((path, source.kind()), (&place.path, io::ErrorKind::PermissionDenied));
    assert!(error.source().is_some());
    std::fs::set_permissions(&place.path, writable).unwrap();
    assert_eq!(locked(&open(&place.path).shared.file).open.intents().collect::<Vec<_>>(), [&kept]);
}

#[test]
fn a_crash_while_it_is_made_leaves_a_journal() {
    for length in 0..HEADER.len() {
        let place = place();
        std::fs::write(&place.path, &HEADER[..length]).unwrap();
        assert_eq!(open(&place.path).damaged(), []);
        assert_eq!(std::fs::read(&place.path).unwrap(), HEADER, "after {length} bytes");
    }
}

/// Each line cut off at each byte: what was whole stays, the rest is reported once, and what comes after is apart.
#[tokio::test]
async fn a_torn_line_is_set_aside_and_glues_nothing_together() {
    let place = place();
    let (kept, torn) = (intent(), intent());
    let whole = [HEADER, &Record::Begin(Box::new(kept.clone())).encode().unwrap()].concat();
    let line = Record::Begin(Box::new(torn.clone())).encode().unwrap();
    for length in 0..line.len() {
        std::fs::write(&place.path, [&whole, &line[..length]].concat()).unwrap();
        let journal = open(&place.path);
        let is_complete = length == line.len() - 1;
        let damaged = journal.damaged();
        assert_eq!(damaged.len(), usize::from(length > 1 && !is_complete), "{length}: {damaged:?}");
        for line in damaged {
            assert!(line.is_cut_off() && line.line() == 5, "{line:?}");
            assert_eq!(line.text().len(), length - 1);
        }
        let mut expected = vec![kept.id().to_owned()];
        expected.extend(is_complete.then(|| torn.id().to_owned()));
        assert_eq!(ids(&journal).await, expected, "{length}");
        let next = intent();
        if length % 37 == 1 {
            journal.begin(&next).await.unwrap();
            expected.push(next.id().to_owned());
        }
        drop(journal);
        let again = open(&place.path);
        assert_eq!(again.damaged(), [], "{length}: it was told once");
        assert_eq!(ids(&again).await, expected, "{length}");
    }
}

#[tokio::test]
async fn a_damaged_line_in_the_middle_is_kept_until_it_is_discarded() {
    let place = place();
    let intents = [intent(), intent(), intent()];
    {
        let journal = open(&place.path);
        for intent in &intents {
            journal.begin(intent).await.unwrap();
        }
    }
    let text = std::fs::read_to_string(&place.path).unwrap();
    std::fs::write(&place.path, text.replace(intents[1].id(), "01BX5ZZKBKACTAV9WEVGEMMVRZ")).unwrap();
    // A rewrite keeps it, behind the first line.
    for number in [5, 3] {
        let journal = open(&place.path);
        let damaged = journal.damaged();
        assert_eq!(damaged.iter().map(|line| (line.line(), line.is_cut_off())).collect::<Vec<_>>(), [(number, false)]);
        assert!(damaged[0].text().contains("01BX5ZZKBKACTAV9WEVGEMMVRZ"));
        assert!(!format!("{damaged:?}").contains("01BX"), "its text is not for logs");
        assert_eq!(ids(&journal).await, [intents[0].id(), intents[2].id()]);
        locked(&journal.shared.file).rewrite().unwrap();
    }
    open(&place.path).discard_damaged().unwrap();
    let journal = open(&place.path);
    assert_eq!(journal.damaged(), []);
    assert_eq!(ids(&journal).await, [intents[0].id(), intents[2].id()]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_another_name_of_the_journal() {
    let place = place();
    let link = place.path.with_file_name("link");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let kept = intent();
    {
        // It leads nowhere yet.
        let journal = open(&link);
        assert!(matches!(FileJournal::open(&place.path), Err(JournalError::InUse { .. })));
        journal.begin(&kept).await.unwrap();
        locked(&journal.shared.file).rewrite().unwrap();
        assert!(matches!(FileJournal::open(&link), Err(JournalError::InUse { .. })));
    }
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink(), "the link is not replaced");
    assert_eq!(ids(&open(&place.path)).await, [kept.id()]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_hard_link_is_another_name_of_the_journal() {
    let place = place();
    let other = place.path.with_file_name("other");
    let kept = intent();
    {
        let journal = open(&place.path);
        std::fs::hard_link(&place.path, &other).unwrap();
        assert!(matches!(FileJournal::open(&other), Err(JournalError::InUse { .. })));
        for _ in 0..200 {
            let intent = intent();
            journal.begin(&intent).await.unwrap();
            journal.end(intent.id(), Outcome::Applied).await.unwrap();
        }
        journal.begin(&kept).await.unwrap();
        assert!(std::fs::metadata(&other).unwrap().len() > REWRITE_BYTES, "it is not rewritten under one name");
        assert!(journal.discard_damaged().is_err());
    }
    assert_eq!(ids(&open(&other)).await, [kept.id()]);
    std::fs::remove_file(&other).unwrap();
    assert_eq!(ids(&open(&place.path)).await, [kept.id()]);
    assert!(std::fs::metadata(&place.path).unwrap().len() < REWRITE_BYTES, "with one name it is");
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_was_removed_takes_nothing_more() {
    let place = place();
    let journal = open(&place.path);
    let first = intent();
    journal.begin(&first).await.unwrap();
    for replace in [false, true] {
        if replace {
            std::fs::write(&place.path, "").unwrap();
        } else {
            std::fs::remove_file(&place.path).unwrap();
        }
        let error = journal.begin(&intent()).await.unwrap_err();
        assert!(matches!(&error, JournalError::Replaced { path } if path.ends_with("journal")), "{error:?}");
        assert_eq!(ids(&journal).await, [first.id()]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    let journal = open(&place.path);
    for _ in 0..2 {
        assert_eq!(std::fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
        locked(&journal.shared.file).rewrite().unwrap();
    }
}

#[tokio::test]
async fn what_was_dropped_before_its_turn_is_not_begun() {
    let place = place();
    let journal = open(&place.path);
    let (first, second) = (intent(), intent());
    {
        // Somebody has the file, so that the beginning has to wait.
        let mut file = locked(&journal.shared.file);
        let mut beginning = journal.begin(&first);
        assert!(futures_util::FutureExt::now_or_never(&mut beginning).is_none());
        drop(beginning);
        assert!(journal.abandon(first.id(), Outcome::NotSent));
        // As whoever has the file does in the end: then nothing strikes it out any more.
        journal.shared.end_abandoned(&mut file);
        drop(file);
    }
    journal.begin(&second).await.unwrap();
    assert_eq!(ids(&journal).await, [second.id()]);
    assert!(journal.abandon(second.id(), Outcome::NotSent));
    assert!(ids(&journal).await.is_empty());
    drop(journal);
    assert!(ids(&open(&place.path)).await.is_empty());
}

/// Seen in use: a program that was killed in its own process and begun again found its journal in use.
#[tokio::test]
async fn the_file_is_free_as_soon_as_the_last_handle_is_dropped() {
    let place = place();
    for _ in 0..50 {
        let journal = open(&place.path);
        let (first, second) = (intent(), intent());
        journal.begin(&first).await.unwrap();
        let other = journal.clone();
        // Threads write for both, or are about to, when nobody waits for them any more.
        let _ = futures_util::FutureExt::now_or_never(journal.begin(&second));
        let _ = futures_util::FutureExt::now_or_never(journal.end(first.id(), Outcome::Applied));
        // As the call that was dropped does.
        assert!(other.abandon(first.id(), Outcome::Applied) && other.abandon(second.id(), Outcome::NotSent));
        drop(journal);
        assert!(matches!(FileJournal::open(&place.path), Err(JournalError::InUse { .. })), "a clone has it");
        drop(other);
        let again = FileJournal::open(&place.path).unwrap();
        assert!(ids(&again).await.is_empty());
    }
}

#[test]
fn what_is_abandoned_without_a_runtime_is_struck_out() {
    let place = place();
    let journal = open(&place.path);
    let (first, second) = (intent(), intent());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        journal.begin(&first).await.unwrap();
        journal.begin(&second).await.unwrap();
    });
    drop(runtime);
    assert!(journal.abandon(first.id(), Outcome::NotSent));
    {
        // While somebody else has the file: then the last handle does it.
        let _file = locked(&journal.shared.file);
        assert!(journal.abandon(second.id(), Outcome::NotSent));
    }
    drop(journal);
    assert_eq!(locked(&open(&place.path).shared.file).open.intents().count(), 0);
}

/// The number of the intent, whether this is its end, and where it is in the file.
type RecordPlace = (usize, bool, Range<usize>);

/// A file, its intents, and its records.
fn written(begun: usize, ended: &BTreeSet<usize>) -> (Vec<u8>, Vec<Intent>, Vec<RecordPlace>) {
    let intents: Vec<_> = (0..begun).map(|_| intent()).collect();
    let (mut text, mut records) = (HEADER.to_vec(), Vec::new());
    let mut add = |number: usize, is_end: bool, record: &Record<'_>| {
        let start = text.len();
        text.extend(record.encode().unwrap());
        records.push((number, is_end, start..text.len()));
    };
    for (number, intent) in intents.iter().enumerate() {
        add(number, false, &Record::Begin(Box::new(intent.clone())));
        if ended.contains(&number) {
            add(number, true, &Record::End { id: Cow::Borrowed(intent.id()), outcome: Outcome::NoEffect });
        }
    }
    (text, intents, records)
}

#[derive(Clone, Debug)]
enum Damage {
    Overwrite(Vec<(prop::sample::Index, u8)>),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    CutOff(prop::sample::Index),
}

impl Damage {
    /// Does it, and says which bytes are not what they were, and between which there is something new.
    fn does(&self, text: &mut Vec<u8>) -> (Vec<usize>, Option<usize>) {
        match self {
            Self::Overwrite(bytes) => {
                let before = text.clone();
                for (place, byte) in bytes {
                    let place = place.index(text.len());
                    text[place] = *byte;
                }
                // A byte may be overwritten by itself.
                ((0..text.len()).filter(|place| text[*place] != before[*place]).collect(), None)
            }
            Self::Insert(place, bytes) => {
                let place = place.index(text.len());
                text.splice(place..place, bytes.iter().copied());
                (Vec::new(), Some(place))
            }
            Self::Remove(place, length) => {
                let start = place.index(text.len());
                let end = (start + length).min(text.len());
                text.drain(start..end);
                ((start..end).collect(), None)
            }
            Self::CutOff(place) => {
                let start = place.index(text.len());
                let lost = (start..text.len()).collect();
                text.truncate(start);
                (lost, None)
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        prop::collection::vec((place(), any::<u8>()), 1..20).prop_map(Damage::Overwrite),
        prop::collection::vec((place(), Just(b'\n')), 1..20).prop_map(Damage::Overwrite),
        (place(), prop::collection::vec(any::<u8>(), 1..50)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (place(), 1..600_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        place().prop_map(Damage::CutOff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_damaged_the_other_lines_are_used(
        ended in prop::collection::btree_set(0..12_usize, 0..8),
        damage in damage(),
    ) {
        let (mut text, intents, records) = written(12, &ended);
        let (bytes, gap) = damage.does(&mut text);
        let is_whole = |range: &Range<usize>| {
            !bytes.iter().any(|byte| range.contains(byte))
                && gap.is_none_or(|gap| gap <= range.start || gap >= range.end)
        };
        let place = place();
        std::fs::write(&place.path, &text).unwrap();
        let journal = match FileJournal::open(&place.path) {
            Ok(journal) => journal,
            Err(JournalError::NotAJournal { .. }) => {
                prop_assert!(!records.iter().any(|(_, _, range)| is_whole(range)));
                prop_assert_eq!(std::fs::read(&place.path).unwrap(), text);
                return Ok(());
            }
            Err(error) => panic!("{error:?}"),
        };
        let file = locked(&journal.shared.file);
        let open: Vec<_> = file.open.intents().collect();
        for intent in &open {
            prop_assert!(intents.contains(intent), "invented: {:?}", intent);
        }
        let whole = |number: usize, end: bool| {
            records.iter().any(|(of, is_end, range)| (*of, *is_end) == (number, end) && is_whole(range))
        };
        // Without one of its two line ends a line can still be read.
        let lacks_a_line_end = |number: usize| {
            records.iter().filter(|(of, is_end, _)| (*of, *is_end) == (number, true)).any(|(_, _, range)| {
                let mut hit = bytes.iter().filter(|byte| range.contains(byte)).peekable();
                hit.peek().is_some() && hit.all(|byte| *byte == range.start || *byte == range.end - 1)
            })
        };
        for (number, intent) in intents.iter().enumerate() {
            if whole(number, false) && !lacks_a_line_end(number) {
                prop_assert_eq!(open.contains(&intent), !whole(number, true), "{}", number);
            }
        }
        let lost = (0..12).filter(|number| !open.contains(&&intents[*number]) && !ended.contains(number)).count();
        let is_cut = matches!(damage, Damage::CutOff(_) | Damage::Remove(..));
        prop_assert!(lost == 0 || is_cut || !file.damaged.is_empty(), "lost without a word");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), has_header in any::<bool>()) {
        let text = if has_header { [HEADER, &bytes].concat() } else { bytes };
        let read = lines::read(&text[..]).unwrap();
        prop_assert!(read.is_some() || !has_header);
    }
}
