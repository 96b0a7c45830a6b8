//! What code can say, a study's file can say: each method that describes a target group is listed with its place in the
//! file, and each place exists.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Fields, ImplItem, Item, ReturnType, Type, Visibility};

use crate::{parsed, rust_files, source};

/// The types that describe a target group, each with its methods, and where a file says the same: a field of a type of
/// `study`, or a variant.
const SAID: &[(&str, &[(&str, &str)])] = &[
    (
        "DraftBuilder",
        &[
            ("assistant", "StudyGroup.assistant"),
            ("audience", "StudyGroup.audience"),
            ("business_unit", "StudyGroup.business_unit"),
            ("collects_pii", "StudyGroup.collects_pii"),
            ("completes_goal", "StudyGroup.completes_goal"),
            ("cost_note", "StudyGroup.cost_note"),
            ("cost_per_interview", "StudyGroup.cost_per_interview"),
            ("exclude_activity", "StudyExclusions.activity"),
            ("exclude_project", "StudyExclusions.project"),
            ("fielding_period", "StudyGroup.fielding_period"),
            ("incidence_rate", "StudyGroup.incidence_rate"),
            ("industry", "StudyGroup.industry"),
            ("length_of_interview", "StudyGroup.length_of_interview"),
            ("live_url", "StudyGroup.live_url"),
            ("locale", "StudyGroup.locale"),
            ("lockout", "StudyGroup.lockout"),
            ("manager", "StudyGroup.manager"),
            ("on_behalf_of", "StudyGroup.client"),
            ("reference", "StudyGroup.reference"),
            ("study_type", "StudyGroup.study_type"),
            ("supply", "StudyGroup.supply"),
            ("test_url", "StudyGroup.test_url"),
            ("without_live_url", "StudyGroup.live_url"),
        ],
    ),
    (
        "Audience",
        &[
            ("and_question", "StudyAudience.questions"),
            ("control", "StudyAudience.control"),
            ("in_percent", "StudyAudience.in_percent"),
            ("independent", "StudyAudience.questions"),
            ("interlock", "StudyAudience.interlock"),
            ("template", "StudyAudience.template"),
        ],
    ),
    (
        "Interlock",
        &[
            ("at_least", "StudyCell.at_least"),
            ("at_most", "StudyCell.at_most"),
            ("carry_over", "StudyInterlock.last_wave"),
            ("exclude", "StudyCell.at_most"),
            ("importance", "StudyGive.importance"),
            ("joint", "StudyInterlock.joints"),
            ("of", "StudyInterlock.questions"),
            ("ranges", "StudyGive.between"),
            ("seed", "StudyInterlock.seed"),
            ("smallest_cell", "StudyInterlock.smallest_cell"),
            ("time_limit", "StudyInterlock.time_limit"),
            ("tolerance", "StudyGive.percent"),
            ("work_limit", "StudyInterlock.work_limit"),
        ],
    ),
    (
        "Question",
        &[
            ("any_value", "StudyQuestion.any_text"),
            ("band", "StudyQuestion.bands"),
            ("bands", "StudyBand.or"),
            ("choice", "StudyQuestion.options"),
            ("open_ended", "StudyQuestion.texts"),
            ("option", "StudyQuestion.options"),
            ("options", "StudyOption.or"),
            ("range", "StudyQuestion.bands"),
            ("values", "StudyQuestion.texts"),
            ("without_quotas", "StudyQuestion.quotas"),
        ],
    ),
    ("ControlQuotas", &[("new", "StudyControl.name"), ("target", "StudyControl.targets")]),
    (
        "Supply",
        &[
            ("block", "StudyShares.blocked"),
            ("exchange", "StudyShares.exchange"),
            ("group", "StudyShares.groups"),
            ("only", "StudySupply.Only"),
            ("open_exchange", "StudySupply.OpenExchange"),
            ("private_group", "StudyShares.private_groups"),
            ("test_supplier_only", "StudySupply.TestSupplierOnly"),
        ],
    ),
    (
        "FieldingAssistant",
        &[
            ("off", "StudyGroup.assistant"),
            ("pacing", "StudyAssistant.pacing"),
            ("prevent_overfill", "StudyQuotaOverlay.prevent_overfill"),
            ("pricing", "StudyAssistant.pricing"),
            ("quota_overlay", "StudyAssistant.quota_overlay"),
            ("soft_launch", "StudyAssistant.soft_launch"),
        ],
    ),
];

/// What can be set of a target group that exists, as in [`SAID`].
const SET: &[(&str, &str)] = &[
    ("set_activity_exclusions", "StudyExclusions.activity"),
    ("set_audience", "StudyGroup.audience"),
    ("set_cost_per_interview", "StudyGroup.cost_per_interview"),
    ("set_filling_strategy", "StudyGroup.filling_strategy"),
    ("set_supply", "StudyGroup.supply"),
];

/// What no file can say, with the reason.
const NOT_IN_A_FILE: &[(&str, &str, &str)] = &[
    ("DraftBuilder", "re_entry", "a launched target group does not show it, so it could not be compared"),
    ("TargetGroup", "set_re_entry", "as `re_entry` of a draft"),
];

/// What a report can be told, as in [`SAID`]: its builder is not one of the types above, since it has other ways to
/// begin.
const REPORT: &[(&str, &str)] = &[
    ("link_type", "StudyReport.link_type"),
    ("mail_to", "StudyReport.mail_to"),
    ("with_respondent_answers", "StudyReport.respondent_answers"),
];

/// The public methods of a type that give back the type itself.
fn describing(name: &str, items: &[Item]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let Type::Path(of) = &*item.self_ty else { continue };
        if item.trait_.is_some() || of.path.segments.last().is_none_or(|last| last.ident != name) {
            continue;
        }
        for method in &item.items {
            let ImplItem::Fn(method) = method else { continue };
            let gives_itself = matches!(&method.sig.output, ReturnType::Type(_, it) if matches!(&**it, Type::Path(path)
                if path.path.is_ident("Self")));
            if gives_itself && matches!(method.vis, Visibility::Public(_)) {
                found.insert(method.sig.ident.to_string());
            }
        }
    }
    found
}

/// The fields and variants of the types of `study`.
fn places() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in rust_files(&source().join("study")).iter().flat_map(|file| parsed(file).items) {
        match item {
            Item::Struct(item) => {
                let Fields::Named(fields) = &item.fields else { continue };
                let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                found.extend(names.map(|field| format!("{}.{field}", item.ident)));
            }
            Item::Enum(item) => {
                found.extend(item.variants.iter().map(|it| format!("{}.{}", item.ident, it.ident)));
            }
            _ => {}
        }
    }
    found
}

/// The public methods of target groups that set something.
fn setting(items: &[Item]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let Type::Path(of) = &*item.self_ty else { continue };
        if item.trait_.is_some() || of.path.segments.last().is_none_or(|last| last.ident != "TargetGroup") {
            continue;
        }
        let methods = item.items.iter().filter_map(|method| match method {
            ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(method.sig.ident.to_string()),
            _ => None,
        });
        found.extend(methods.filter(|name| name.starts_with("set_")));
    }
    found
}

#[test]
fn a_file_says_what_is_set_of_a_target_group() {
    let (places, items) =
        (places(), rust_files(&source()).iter().flat_map(|file| parsed(file).items).collect::<Vec<_>>());
    let mut methods = setting(&items);
    for (_, method, _) in NOT_IN_A_FILE.iter().filter(|(of, ..)| *of == "TargetGroup") {
        assert!(methods.remove(*method), "there is no method {method}, which no file could say");
    }
    let named: BTreeSet<String> = SET.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(methods, named, "methods that set something, and those with a place in a study's file");
    for (method, place) in SET {
        assert!(places.contains(*place), "{method} is said to be {place}, which does not exist");
    }
}

#[test]
fn a_file_says_what_code_says() {
    let places = places();
    let items: Vec<Item> = rust_files(&source()).iter().flat_map(|file| parsed(file).items).collect();
    let listed: BTreeMap<&str, &[(&str, &str)]> = SAID.iter().copied().chain([("ReportBuilder", REPORT)]).collect();
    for (name, said) in listed {
        // Setting options for one call describes nothing.
        let mut methods = describing(name, &items);
        methods.remove("with");
        for (_, method, _) in NOT_IN_A_FILE.iter().filter(|(of, ..)| *of == name) {
            assert!(methods.remove(*method), "{name} has no method {method}, which no file could say");
        }
        let named: BTreeSet<String> = said.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert_eq!(methods, named, "methods of {name}, and those with a place in a study's file");
        for (method, place) in said {
            assert!(places.contains(*place), "{name}::{method} is said to be {place}, which does not exist");
        }
    }
}
