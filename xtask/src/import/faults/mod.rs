//! Documents with injected faults: each is refused at the right place, all faults are listed, and nothing is written.
//! Also what must come of documents without faults: the same bytes each time, and the golden files.

mod hostile;
mod list;
mod real;

use serde_json::{Value, json};

use self::list::{FAULTS, TEXTS, UNREADABLE};
use super::{Imported, Options, import, run};
use crate::document::overlay::Overlays;
use crate::document::problem::Problems;
use crate::document::tree::escape;
use crate::fixture::{DATE, KENNELS, Temporary, documents};

fn kennels(text: &str, date: Option<&str>) -> Result<Imported, Problems> {
    import("kennels.yaml", text, date, &Overlays::default())
}

#[test]
fn the_document_without_faults_is_taken() {
    let imported = kennels(KENNELS, None).unwrap();
    assert_eq!(imported.date, DATE);
    assert_eq!(super::counts(&imported.document), (3, 7));
    assert!(kennels(KENNELS, Some(DATE)).is_ok(), "its own date may be given too");
}

#[test]
fn every_fault_is_refused_at_its_place() {
    for fault in FAULTS.iter().chain(UNREADABLE) {
        let text = fault.inject(KENNELS);
        let problems = kennels(&text, None).expect_err(fault.name);
        assert!(
            problems.list().iter().any(|problem| fault.is(problem, &text)),
            "{} should be {:?} in line {:?}, but: {problems}",
            fault.name,
            fault.pointer,
            fault.line_in(&text)
        );
    }
}

#[test]
fn a_fault_alone_is_the_only_problem() {
    // These bring others with them: a reference, a status or a place that no longer is there.
    let several = [
        "a declared path parameter that the path lacks",
        "references in a circle",
        "an operation that answers nothing",
        "a status that does not exist",
    ];
    for fault in FAULTS.iter().filter(|fault| !several.contains(&fault.name)) {
        let text = fault.inject(KENNELS);
        let problems = kennels(&text, None).expect_err(fault.name);
        assert_eq!(problems.list().len(), 1, "{}: {problems}", fault.name);
    }
}

#[test]
fn every_fault_is_listed_not_just_the_first() {
    // Below these nothing is looked at, or everything is at another place.
    const ALONE: [&str; 2] = ["a misspelt method", "a path parameter that nothing declares"];
    let mut text = KENNELS.to_owned();
    let mut injected = Vec::new();
    for fault in FAULTS.iter().filter(|fault| !ALONE.contains(&fault.name)) {
        // Where two want the same place, the first that comes has it.
        if text.matches(fault.edit.0).count() == 1 {
            text = fault.inject(&text);
            injected.push(fault);
        }
    }
    assert!(injected.len() >= 20, "only {} fit together", injected.len());
    let problems = kennels(&text, None).unwrap_err();
    for fault in &injected {
        assert!(
            problems.list().iter().any(|problem| fault.is(problem, &text)),
            "{} is not among {problems}",
            fault.name
        );
    }
    assert!(problems.list().is_sorted(), "in the order of the lines");
    let shown = problems.to_string();
    assert!(shown.starts_with(&format!("kennels.yaml: {} problems\n", problems.list().len())));
}

#[test]
fn texts_that_cannot_be_read_say_where() {
    for (name, text, line, message) in TEXTS {
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let problems = kennels(text, None).expect_err(name);
        let [problem] = problems.list() else { panic!("{name}: {problems}") };
        assert_eq!(problem.line, *line, "{name}");
        assert!(problem.message.contains(message), "{name}: {problems}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let cut = &KENNELS[..KENNELS.find("paths:\n").unwrap()];
    for (text, pointer) in [
        (cut.to_owned(), "/paths"),
        (KENNELS.replace("info:\n", "x-info:\n"), "/info"),
        (format!("{cut}paths: {{}}\n"), "/paths"),
    ] {
        let problems = kennels(&text, Some(DATE)).unwrap_err();
        assert!(problems.list().iter().any(|problem| problem.pointer == pointer), "{pointer}: {problems}");
    }
}

#[test]
fn a_date_is_needed_and_must_not_clash() {
    let undated = KENNELS.replace("version: \"2031-05-06T00:00:00Z\"", "version: 1.0.0");
    assert_eq!(kennels(&undated, Some("2030-01-02")).unwrap().date, "2030-01-02", "--as names it");
    for wrong in ["soon", "2030-13-01", "2026-02-31", "2030-1-2", "2030-01-02T00:00:00Z", ""] {
        let problems = kennels(&undated, Some(wrong)).unwrap_err();
        let [problem] = problems.list() else { panic!("{problems}") };
        assert!(problem.message.contains("is not a date of the form YYYY-MM-DD"), "{problems}");
    }
    let problems = kennels(KENNELS, Some("2030-01-02")).unwrap_err();
    let [problem] = problems.list() else { panic!("{problems}") };
    assert_eq!((problem.pointer.as_str(), problem.line), ("/info/version", Some(6)));
    assert!(problem.message.contains("says 2031-05-06 and --as says 2030-01-02"), "{problems}");
}

/// Puts something that does not belong there in every place, one at a time: none may crash the importer.
#[test]
fn no_mutilated_document_crashes_the_importer() {
    let document = crate::document::source::Source::parse("kennels.yaml", KENNELS).unwrap().value;
    let mut places = Vec::new();
    pointers(&document, String::new(), &mut places);
    let mut refused = 0;
    for place in &places {
        for wrong in [json!(null), json!([]), json!({}), json!("x"), json!(-1), json!([{}]), json!({"a": 1})] {
            let mut document = document.clone();
            *document.pointer_mut(place).unwrap() = wrong;
            refused += usize::from(kennels(&document.to_string(), Some(DATE)).is_err());
        }
    }
    assert!(refused > places.len(), "{refused} of {} were refused", 7 * places.len());
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| pointers(value, format!("{at}/{}", escape(key)), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{at}/{index}"), found));
        }
        _ => {}
    }
    found.push(at);
}

#[test]
fn a_refused_document_leaves_the_folder_as_it_was() {
    for workspace in [Temporary::empty(), Temporary::with_kennels()] {
        let before = workspace.bytes();
        let mut downloads: Vec<(String, Vec<u8>, Vec<String>)> = Vec::new();
        for fault in FAULTS.iter().chain(UNREADABLE) {
            let text = fault.inject(KENNELS);
            let mut said = vec!["kennels.yaml".to_owned(), fault.message.to_owned()];
            said.extend(fault.line_in(&text).map(|line| format!("line {line}: {}", fault.pointer)));
            downloads.push((fault.name.to_owned(), text.into_bytes(), said));
        }
        for (name, text, line, message) in TEXTS {
            let mut said = vec!["kennels.yaml".to_owned(), (*message).to_owned()];
            said.extend(line.map(|line| format!("line {line}: /")));
            downloads.push(((*name).to_owned(), text.to_vec(), said));
        }
        for (name, bytes, said) in downloads {
            let file = workspace.download("kennels.yaml", bytes);
            let error = format!("{:#}", run(&workspace.workspace, &file, &Options::default()).expect_err(&name));
            for said in said {
                assert!(error.contains(&said), "{name} does not say {said:?}: {error}");
            }
            assert!(workspace.bytes() == before, "{name} has changed the folder");
        }
        let file = workspace.download("kennels.yaml", KENNELS);
        assert!(run(&workspace.workspace, &file, &Options::dated("2030-01-02")).is_err(), "a clash");
        assert!(run(&workspace.workspace, &file, &Options::dated("soon")).is_err(), "no date");
        let nothing = workspace.download("nothing", "").with_file_name("not-there.yaml");
        let error = format!("{:#}", run(&workspace.workspace, &nothing, &Options::default()).unwrap_err());
        assert!(error.contains("not-there.yaml"), "{error}");
        assert!(workspace.bytes() == before);
    }
}

#[test]
fn a_refused_write_leaves_the_folder_as_it_was() {
    type Obstacle = fn(&Temporary);
    let obstacles: [(&str, Obstacle); 4] = [
        ("a folder in place of the document", |at| std::fs::create_dir(at.workspace.document("2032-01-01")).unwrap()),
        ("a folder in place of the embedded list", |at| {
            std::fs::remove_file(at.workspace.embedded()).unwrap();
            std::fs::create_dir(at.workspace.embedded()).unwrap();
        }),
        ("a file in place of a folder", |at| {
            std::fs::remove_dir_all(at.workspace.openapi().join("src")).unwrap();
            std::fs::write(at.workspace.openapi().join("src"), "no folder").unwrap();
        }),
        ("an index that cannot be read", |at| std::fs::write(at.workspace.index(), "no index").unwrap()),
    ];
    for (name, obstacle) in obstacles {
        let workspace = Temporary::with_kennels();
        obstacle(&workspace);
        let before = workspace.bytes();
        let newer = workspace.download("kennels.yaml", KENNELS.replace("2031-05-06", "2032-01-01"));
        assert!(run(&workspace.workspace, &newer, &Options::default()).is_err(), "{name}");
        assert!(workspace.bytes() == before, "{name}: the folder has changed");
    }
}

#[test]
fn an_overlay_that_finds_another_document_refuses_it() {
    let workspace = Temporary::with_kennels();
    std::fs::create_dir_all(workspace.workspace.overlays()).unwrap();
    let overlay = |at: &str| {
        format!(
            "reason = 'r'\nstage = 'import'\n[[change]]\ndocuments = ['{DATE}']\nat = '{at}'\nexpect = 1\narray_of = true\n"
        )
    };
    let file = workspace.download("kennels.yaml", KENNELS);
    for (at, message) in [
        ("/components/schemas/Cat", "expects 1 node(s) here and finds 0"),
        ("/components/schemas/DogList/properties/dogs", "is a list already"),
    ] {
        std::fs::write(workspace.workspace.overlays().join("001-cats.toml"), overlay(at)).unwrap();
        let before = workspace.bytes();
        let error = format!("{:#}", run(&workspace.workspace, &file, &Options::default()).unwrap_err());
        assert!(error.contains("overlay 001-cats") && error.contains(message) && error.contains(at), "{error}");
        assert!(workspace.bytes() == before);
    }
}

#[test]
fn importing_twice_gives_the_same_bytes() {
    let workspace = Temporary::with_kennels();
    let before = workspace.bytes();
    let file = workspace.download("kennels.yaml", KENNELS);
    run(&workspace.workspace, &file, &Options::default()).unwrap();
    assert!(workspace.bytes() == before);
    let document = workspace.workspace.document(DATE);
    let text = std::fs::read_to_string(&document).unwrap();
    run(&workspace.workspace, &document, &Options::default()).unwrap();
    assert_eq!(std::fs::read_to_string(&document).unwrap(), text, "what was imported imports to itself");
}

#[test]
fn a_changed_source_is_noted() {
    let workspace = Temporary::with_kennels();
    let file = workspace.download("kennels.yaml", format!("{KENNELS}# one more line\n"));
    let report = run(&workspace.workspace, &file, &Options::default()).unwrap().to_string();
    assert!(report.contains("the source of 2031-05-06 has changed"), "{report}");
}

#[test]
fn a_document_that_lost_operations_must_be_allowed() {
    let workspace = Temporary::with_kennels();
    let before = workspace.bytes();
    let at = KENNELS.find("  /kennels/{kennel_id}/dogs/{dog_id}:").unwrap();
    let end = KENNELS.find("components:\n").unwrap();
    let smaller = workspace.download("kennels.yaml", format!("{}{}", &KENNELS[..at], &KENNELS[end..]));
    let error = run(&workspace.workspace, &smaller, &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("the document has lost 1 of 3 operations of 2031-05-06: release_dog"), "{error}");
    assert!(workspace.bytes() == before);
    let allowed = Options { allow_removal: true, ..Options::default() };
    let report = run(&workspace.workspace, &smaller, &allowed).unwrap().to_string();
    assert!(report.contains("2031-05-06 as imported to 2031-05-06: 1 break compilation"), "{report}");
    let newer = workspace.download("kennels.yaml", KENNELS.replace("2031-05-06", "2032-01-01"));
    let report = run(&workspace.workspace, &newer, &Options::default()).unwrap().to_string();
    assert!(report.contains("2031-05-06 to 2032-01-01: 0 break compilation"), "{report}");
    assert!(report.contains("1 are additive"), "{report}");
}

#[test]
fn the_report_is_that_of_the_golden_file() {
    let workspace = Temporary::empty();
    let file = workspace.download("kennels.yaml", KENNELS);
    insta::assert_snapshot!("import_report", run(&workspace.workspace, &file, &Options::default()).unwrap());
    let document = std::fs::read_to_string(workspace.workspace.document(DATE)).unwrap();
    insta::assert_snapshot!("imported_document", document);
}

#[test]
fn imported_documents_import_to_themselves() {
    for (date, text) in documents() {
        let name = format!("{date}.json");
        let again = import(&name, &text, None, &Overlays::default()).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(again.date, date);
        assert!(serde_json::to_string_pretty(&again.document).unwrap() + "\n" == text, "{date} has become another");
    }
}
