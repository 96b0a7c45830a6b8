//! Files of respondents: what is read, what is refused and how it is named, and that nothing panics.

use std::io::{self, Read};

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{Reason, ReconciliationRow};
use super::*;

const A: &str = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";
const B: &str = "71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e";

fn read(text: &str) -> Result<Corrections, RowsError> {
    Corrections::from_csv(text.as_bytes())
}

fn rows(corrections: &Corrections) -> Vec<ReconciliationRow> {
    corrections.rows().collect()
}

fn problems(text: &str) -> Vec<String> {
    read(text).unwrap_err().problems().iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_is_read_however_it_is_laid_out() {
    let expected = [ReconciliationRow::new(A, Reason::Speeder), ReconciliationRow::new(B, Reason::AdjustedComplete)];
    for file in [
        format!("{A},933\n{B},11\n"),
        format!("{A}, 933\r\n\r\n{B}, 11"),
        format!("\u{feff}{A};933\n{B};11\n"),
        format!("RID,Reason Code\n{A},933\n{B},11\n"),
        format!("Reason\tComment\tRespondent-ID\n933\t\"too, fast\n; really\"\t{A}\n , ,\n11\t\t{B}\n")
            .replace(" , ,\n", ""),
        format!("rid;reason;\n{A};933;\n;;\n{B};11;\n").replace(";;\n", "\n"),
    ] {
        let corrections = read(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert_eq!(rows(&corrections), expected, "{file:?}");
    }
    let kept = KeptCompletes::from_csv(format!("rid,name\n{A},x\n{B},y\n").as_bytes()).unwrap();
    assert_eq!(kept.rids().collect::<Vec<_>>(), [A, B]);
}

#[test]
fn everything_wrong_is_named_by_line_and_column() {
    let upper = A.to_uppercase();
    let file = format!(
        "rid,reason\n{{{A}}},933\n{},934\nurn:uuid:{A},26\n{B},940\n{A},\nme,11\n{A},933\n{upper},934\n",
        A.replace('-', "")
    );
    let such = "expected a RID such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";
    let codes = "expected one of 11, 26, 930, 932, 933, 934, 935, 936";
    assert_eq!(
        problems(&file),
        [
            format!("line 2, column 1 (rid) is \"{{{A}}}\", a UUID in braces, {such}"),
            format!("line 3, column 1 (rid) is \"{}\", a UUID without hyphens, {such}", A.replace('-', "")),
            format!("line 4, column 1 (rid) is \"urn:uuid:{A}\", a UUID with a prefix, {such}"),
            format!("line 5, column 2 (reason) is \"940\", {codes}"),
            format!("line 6, column 2 (reason) is \"\", {codes}"),
            format!("line 7, column 1 (rid) is \"me\", {such}"),
            format!("line 9, column 2 (reason) is 934 for {upper}, expected 933 as on line 8: one reason for each"),
        ]
    );
    assert_eq!(problems(""), ["there are no respondents, expected one at least"]);
    assert_eq!(problems("rid,reason\n"), ["there are no respondents, expected one at least"]);
    let names = "expected one of the name reason_code, reason, reconciliation_code, code";
    assert_eq!(problems(&format!("rid,why\n{A},933\n")), [format!("line 1 has the columns \"rid, why\", {names}")]);
    assert_eq!(problems("rid,reason,Reason\n"), [format!("line 1 has columns 2 and 3, {names}")]);
    assert_eq!(problems("\u{feff}")[0], "there are no respondents, expected one at least");
    let utf16 = Corrections::from_csv(&b"\xff\xfea\0"[..]).unwrap_err();
    assert_eq!(utf16.to_string(), "the file is UTF-16, expected UTF-8");
}

/// Cint's own layout, with one character lost in the first line.
#[test]
fn a_spoilt_first_line_is_no_header() {
    let such = "expected a RID such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";
    let codes = "expected one of 11, 26, 930, 932, 933, 934, 935, 936";
    let spoilt = "0f1ce179-a917-49ff-9d50-b05fc91f7bd";
    let rest = [format!("line 2, column 2 is \"940\", {codes}"), format!("line 3, column 1 is \"me\", {such}")];
    for (first, its) in [
        (format!("{spoilt},933"), vec![format!("line 1, column 1 is \"{spoilt}\", {such}")]),
        ("me,933".to_owned(), vec![format!("line 1, column 1 is \"me\", {such}")]),
        (
            format!("{spoilt},speeder"),
            vec![
                format!("line 1, column 1 is \"{spoilt}\", {such}"),
                format!("line 1, column 2 is \"speeder\", {codes}"),
            ],
        ),
    ] {
        let all: Vec<String> = its.into_iter().chain(rest.clone()).collect();
        assert_eq!(problems(&format!("{first}\n{B},940\nme,933\n")), all);
    }
    for spoilt in [spoilt.to_owned(), A.replace('0', "O"), format!("{A}e"), format!("{{{spoilt}}}")] {
        let error = KeptCompletes::from_csv(format!("{spoilt}\n{B}\nme\n").as_bytes()).unwrap_err();
        let told: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        let lines = [(1, &*spoilt), (3, "me")];
        assert_eq!(told, lines.map(|(line, cell)| format!("line {line}, column 1 is \"{cell}\", {such}")));
    }
    // These are headers, though nobody knows them.
    for header in ["person,why", "id,2nd reason", "Respondent feedback 2026,code of it", "rid,933"] {
        let told = problems(&format!("{header}\n{A},933\n"));
        assert!(told.iter().all(|it| it.starts_with("line 1 has the columns")), "{header}: {told:?}");
    }
}

#[test]
fn a_thousand_problems_make_a_short_error() {
    let file = format!("rid,reason\n{}", format!("{},\n", "\u{7}".repeat(500)).repeat(1_000));
    let error = read(&file).unwrap_err();
    assert_eq!((error.count(), error.problems().len()), (2_000, 20));
    let text = error.to_string();
    assert!(text.chars().count() <= 1_000 && text.contains("; and 1997 more"), "{text}");
    let error = crate::Error::from(error);
    assert_eq!(error.invalid_fields().len(), 21);
    assert_eq!(error.invalid_fields()[20].to_string(), "rows have 1980 more problems");
}

#[test]
fn a_source_that_breaks_is_an_error() {
    struct Breaks;
    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let error = Corrections::from_csv(format!("{A},933\n").as_bytes().chain(Breaks)).unwrap_err();
    assert_eq!(error.to_string(), "the file of respondents cannot be read");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
    let error = crate::Error::from(error);
    assert_eq!((error.kind(), error.outcome()), (crate::error::ErrorKind::Local, crate::Outcome::NotSent));
    assert_eq!(format!("{error:#}"), "not sent: the file of respondents cannot be read: the disk is gone");
}

#[test]
fn repeated_lines_count_once_and_rows_are_checked_like_lines() {
    let corrections = read(&format!("{A},933\n{B},11\n{},933\n{A},933\n", A.to_uppercase())).unwrap();
    assert_eq!((corrections.len(), corrections.repeats(), corrections.is_empty()), (2, 2, false));
    let row = |rid: &str, reason| ReconciliationRow::new(rid, reason);
    let from_rows = Corrections::from_rows([row(A, Reason::Speeder), row(B, Reason::AdjustedComplete)]).unwrap();
    assert_eq!(rows(&from_rows), rows(&corrections));
    let error = Corrections::from_rows([row("me", Reason::Speeder), row(A, Reason::Speeder), row(A, Reason::NoReason)]);
    let text = error.unwrap_err().to_string();
    assert!(text.starts_with("line 1 has the RID \"me\", expected one such as"), "{text}");
    assert!(text.ends_with(&format!("line 3 is 26 for {A}, expected 933 as on line 2: one reason for each")), "{text}");
}

#[test]
fn deadlines_that_are_close_or_past_are_warned_about() {
    let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let file = format!(
        "rid,reason,completed_at\n{A},933,2026-09-30T12:00:00Z\n{B},933,2026-10-05 08:00:00\n\
         2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2,933,2026-11-02\n3e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2,933,\n"
    );
    let corrections = Corrections::from_csv_with(file.as_bytes(), &CsvFormat::new().as_of(now)).unwrap();
    assert_eq!((corrections.late(), corrections.closing()), (1, 1));
    let warnings: Vec<String> = corrections.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            format!("line 2: {A} could be reconciled until 2026-10-26 00:00 CDT"),
            format!("line 3: {B} can be reconciled until 2026-11-26 00:00 CST"),
        ]
    );
    assert_eq!(corrections.undated(), 1, "the last one, of whom the file says nothing");
    let odd = format!("rid,reason,completed_at\n{A},933,11/24/2026\n");
    let named = CsvFormat::new().completed_at_column("completed_at");
    let wrong = Corrections::from_csv_with(odd.as_bytes(), &named).unwrap_err();
    let such = "expected a time such as 2026-11-25T13:45:00Z";
    assert_eq!(wrong.to_string(), format!("line 2, column 3 (completed_at) is \"11/24/2026\", {such}"));
    assert_eq!(read(&odd).unwrap().undated(), 1, "nobody asked for that column");
}

/// What Cint itself exports has columns that do not matter here.
#[test]
fn of_several_columns_that_could_be_meant_the_usual_one_counts() {
    let expected = [ReconciliationRow::new(A, Reason::Speeder)];
    for (file, undated) in [
        (format!("Respondent ID,RID,Reason\n4711,{A},933\n"), 1),
        (format!("RID;respondent;code;reconciliation_code;reason\n{A};x;10;11;933\n"), 1),
        (format!("rid,reason,reason_code\n{A},too fast,933\n"), 1),
        (format!("rid,reason_code,last_date,completed_at\n{A},933,soon,2026-11-02\n"), 0),
        (format!("rid,reason_code,last_date,Last Date\n{A},933,2026-11-02,2026-11-02\n"), 1),
        (format!("Respondent ID,reason\n{A},933\n"), 1),
    ] {
        let corrections = read(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert_eq!((&*rows(&corrections), corrections.undated()), (&expected[..], undated), "{file}");
    }
    // A column that was named must be there, once.
    let twice = format!("rid,reason,done,Done\n{A},933,2026-11-02,2026-11-02\n");
    let named = CsvFormat::new().completed_at_column("done");
    let error = Corrections::from_csv_with(twice.as_bytes(), &named).unwrap_err();
    assert_eq!(error.to_string(), "line 1 has columns 3 and 4, expected one of the name \"done\"");
}

/// Survey data that does not say when its respondents completed.
#[test]
fn deadlines_are_judged_by_a_time_for_all_or_by_a_report() {
    use crate::report::ReportRows;

    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let as_of = CsvFormat::new().as_of(at("2026-11-24T12:00:00Z"));
    let file = format!("{A},933\n{B},933\n{A},933\n");
    let read = |format: &CsvFormat| Corrections::from_csv_with(file.as_bytes(), format).unwrap();
    let unknown = read(&as_of);
    assert_eq!((unknown.undated(), unknown.late(), unknown.closing(), unknown.warnings().len()), (2, 0, 0, 0));

    let all = read(&as_of.clone().completed_at(at("2026-10-31T12:00:00Z")));
    assert_eq!((all.undated(), all.late(), all.closing(), all.warnings().len()), (0, 0, 2, 2), "each once");
    let own = format!("rid,reason,Finished\n{A},933,2026-09-02\n{B},933,\n");
    let format = as_of.clone().completed_at_column("finished").completed_at(at("2026-10-31T12:00:00Z"));
    let own = Corrections::from_csv_with(own.as_bytes(), &format).unwrap();
    assert_eq!((own.undated(), own.late(), own.closing()), (0, 1, 1), "what the file says comes first");

    let report = format!("RID,Last Date\n{},2026-09-30 10:00\n{B},\n{A},2026-11-02\n", A.to_uppercase());
    let mut judged = read(&as_of);
    judged.judge_deadlines(ReportRows::read(report.as_bytes()).unwrap(), &as_of).unwrap();
    assert_eq!((judged.undated(), judged.late(), judged.closing()), (1, 1, 0));
    assert_eq!(judged.warnings()[0].to_string(), format!("line 1: {A} could be reconciled until 2026-10-26 00:00 CDT"));
    judged.judge_deadlines(ReportRows::read(report.as_bytes()).unwrap(), &as_of).unwrap();
    assert_eq!((judged.undated(), judged.late()), (1, 1), "each is judged once");

    // A line that is repeated is one respondent, whichever of the two says the time.
    let repeated = format!("rid,reason,completed_at\n{A},933,\n{A},933,2026-09-02\n{A},933,2026-09-02\n");
    let repeated = Corrections::from_csv_with(repeated.as_bytes(), &as_of).unwrap();
    assert_eq!((repeated.undated(), repeated.late(), repeated.warnings().len()), (0, 1, 1));
}

/// Lines as a file of a million would have them, made as they are read.
struct Made {
    left: u64,
    line: Vec<u8>,
    at: usize,
}

impl Read for Made {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            // Each tenth line says again what the first one says.
            let number = if self.left.is_multiple_of(10) { 0 } else { self.left };
            let id = uuid::Builder::from_random_bytes((u128::from(number) << 96).to_be_bytes()).into_uuid();
            (self.line, self.at) = (format!("{id},933\r\n").into_bytes(), 0);
        }
        let length = out.len().min(self.line.len() - self.at);
        out[..length].copy_from_slice(&self.line[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// The most memory that this process ever had, in KiB; where the system tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Set for the process whose memory is looked at.
const MEASURED: &str = "CINTX_RIDS_MEASURED";
/// The most rows of a part.
const PART_ROWS: usize = 100_000;

/// `CINTX_RIDS=1000000 cargo test --release -p cintx --features csv --lib many_rids -- --nocapture` prints what a
/// million take.
#[test]
fn many_rids_are_checked_deduplicated_split_and_written_in_little_memory() {
    if std::env::var_os(MEASURED).is_none() {
        // In a process of its own: what other tests take does not count.
        let name = "reconciliation::bulk::tests::many_rids_are_checked_deduplicated_split_and_written_in_little_memory";
        let mut measured = std::process::Command::new(std::env::current_exe().unwrap());
        let output = measured.args([name, "--exact", "--nocapture"]).env(MEASURED, "1").output().unwrap();
        let [said, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success() && said.contains(" lines: "), "{said}{error}");
        return print!("{said}");
    }
    let lines = std::env::var("CINTX_RIDS").map_or(20_000, |lines| lines.parse().unwrap());
    // What code and buffers take is there after a few.
    check_split_and_write(1_000);
    let (began, before) = (std::time::Instant::now(), peak_kib());
    check_split_and_write(lines);
    let after = peak_kib();
    println!("{lines} lines: {:?}, peak memory {before:?} KiB before and {after:?} KiB after", began.elapsed());
    if let (Some(before), Some(after)) = (before, after) {
        // A row and its place in the index take 34 bytes, and up to twice that while both grow; and there is one part.
        let part = lines.min(PART_ROWS as u64) * 41 / 1_024;
        assert!(after - before < 2_048 + part + lines * 70 / 1_024, "{before} {after}");
    }
}

fn check_split_and_write(lines: u64) {
    let corrections = Corrections::from_csv(Made { left: lines, line: Vec::new(), at: 0 }).unwrap();
    assert_eq!(corrections.len() as u64, lines - lines / 10 + 1);
    assert_eq!(corrections.repeats(), lines / 10 - 1);
    let mut written = Counted(0);
    corrections.write_csv(&mut written).unwrap();
    assert_eq!(written.0, corrections.len() as u64 * 41);
    // As they are sent, each part by itself.
    let parts = corrections.0.rows.as_slice().chunks(PART_ROWS).map(|part| rows::csv_of(part).len() as u64);
    assert_eq!(parts.sum::<u64>(), written.0);
}

/// Counts what is written.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn any_row() -> impl Strategy<Value = ReconciliationRow> {
    (any::<u128>(), any::<bool>(), prop::sample::select(Reason::ALL.to_vec())).prop_map(|(id, upper, reason)| {
        let rid = uuid::Uuid::from_u128(id).to_string();
        ReconciliationRow::new(if upper { rid.to_uppercase() } else { rid }, reason)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(
        some in prop::collection::vec(any_row(), 1..60),
        separator in prop::sample::select(vec![None, Some(Separator::Semicolon), Some(Separator::Tab)]),
        header in any::<bool>(),
    ) {
        let corrections = Corrections::from_rows(some).unwrap();
        let format = CsvFormat::new().header(header);
        let format = separator.map_or(format.clone(), |separator| format.separator(separator));
        let mut file = Vec::new();
        corrections.write_csv_with(&mut file, &format).unwrap();
        prop_assert_eq!(rows(&Corrections::from_csv(&*file).unwrap()), rows(&corrections));
        let kept: Vec<String> = KeptCompletes::from_csv(&*file).unwrap().rids().collect();
        prop_assert_eq!(kept, corrections.rows().map(|row| row.rid).collect::<Vec<_>>());
    }

    #[test]
    fn no_file_makes_it_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            "(rid|reason|completed_at|0f1ce179-a917-49ff-9d50-b05fc91f7bd4|933|2026-01-01|[,;\t\"\r\n{}]){0,40}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let errors = [Corrections::from_csv(&*bytes).err(), KeptCompletes::from_csv(&*bytes).err()];
        for error in errors.into_iter().flatten() {
            prop_assert!(error.to_string().chars().count() <= 1_000);
            prop_assert!(error.count() > 0);
        }
    }
}
