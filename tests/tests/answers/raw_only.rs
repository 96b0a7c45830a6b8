//! The operations that no call of the facade sends, each with the reason: a list that people review. It only gets
//! shorter.

use std::collections::BTreeSet;

use cintx_raw::Operation;

const OLDER: &[&str] = &["2024-12-02", "2025-02-17"];
const NEWEST: &[&str] = &["2025-12-18"];

/// Operations that are not sent, for one reason.
struct RawOnly {
    why: &'static str,
    versions: &'static [&'static str],
    operations: &'static [&'static str],
}

const RAW_ONLY: &[RawOnly] = &[
    RawOnly {
        why: "The first edition of a call whose second edition is sent.",
        versions: OLDER,
        operations: &[
            "apply_profiles",
            "batch_delete_profiles",
            "batch_delete_profiles_quotas",
            "create_profile",
            "disable_quotas",
            "enable_quotas",
            "generate_draft_interlock_profile",
            "get_panel_distribution_by_profile",
            "get_target_group_quota_distribution",
            "list_profiles",
            "manipulate_profile_condition_groups",
            "update_profile_conditions",
            "update_profile_filling_goal",
        ],
    },
    RawOnly {
        why: "Does with one profile what the call for several does, or reads one of the list.",
        versions: OLDER,
        operations: &["delete_profile", "get_profile", "get_profile_v2"],
    },
    RawOnly {
        why: "Reads one profile of the list, which says the same of each.",
        versions: NEWEST,
        operations: &["get_profile"],
    },
    RawOnly {
        why: "The list of profiles under a second path: the other one is read.",
        versions: OLDER,
        operations: &["get_profiles_all"],
    },
    RawOnly {
        why: "Predicts quotas for no account; the same call for an account is sent.",
        versions: OLDER,
        operations: &["get_panel_distribution"],
    },
    RawOnly {
        why: "The question library without an account's own questions: the account's is listed.",
        versions: &["2025-02-17"],
        operations: &["get_questions_translation"],
    },
    RawOnly {
        why: "Takes RSIDs as a file and not as a list: the list is sent.",
        versions: NEWEST,
        operations: &["get_recontacts_rsids_upload_file_job_status", "recontact_create_upload_rsids_by_file_job"],
    },
    RawOnly {
        why: "Sent by `ServerToServer`, which needs no version.",
        versions: NEWEST,
        operations: &["get_respondent_status", "update_respondent_status"],
    },
];

/// How many operations of each version are not sent.
const COUNTS: [(&str, usize); 3] = [("2024-12-02", 18), ("2025-02-17", 19), ("2025-12-18", 5)];

fn every_operation_is_sent_or_listed<V: cintx::Version>() {
    let sent: BTreeSet<&str> = crate::unread::operations(V::DATE, V::OPERATIONS).into_iter().collect();
    let all = V::OPERATIONS.iter().map(|row: &&'static Operation| row.id);
    let not_sent: BTreeSet<&str> = all.filter(|id| !sent.contains(id)).collect();
    let mut listed = BTreeSet::new();
    for group in RAW_ONLY.iter().filter(|group| group.versions.contains(&V::DATE)) {
        assert!(group.why.ends_with('.') && group.why.len() > 20, "{:?} is no reason", group.why);
        for operation in group.operations {
            assert!(listed.insert(*operation), "{operation} is listed twice");
        }
    }
    let unexplained: Vec<_> = not_sent.difference(&listed).collect();
    let outdated: Vec<_> = listed.difference(&not_sent).collect();
    assert!(unexplained.is_empty(), "{}: sent by no call, without a reason: {unexplained:?}", V::DATE);
    assert!(outdated.is_empty(), "{}: listed, and sent or gone: {outdated:?}", V::DATE);
    assert!(
        COUNTS.contains(&(V::DATE, listed.len())),
        "{}: {} operations, and those in `COUNTS`",
        V::DATE,
        listed.len()
    );
}

macro_rules! one_version {
    ($version:ident $marker:ident) => {
        #[test]
        fn $version() {
            super::every_operation_is_sent_or_listed::<cintx::$marker>();
        }
    };
}
use one_version;

mod every_operation_is_sent_or_has_a_reason {
    cintx_tests::for_each_version!(super::one_version);
}
