//! The properties of request bodies that no golden body has, each with the reason: a list that people review.

use std::collections::BTreeSet;

const FIRST: &str = "2024-12-02";
const SECOND: &str = "2025-02-17";
const NEWEST: &str = "2025-12-18";

/// Properties that are not sent, for one reason.
struct NeverSent {
    why: &'static str,
    versions: &'static [&'static str],
    properties: &'static [&'static str],
}

const NEVER_SENT: &[NeverSent] = &[
    NeverSent {
        why: "A second way to name one supplier; the list of suppliers is sent.",
        versions: &[NEWEST],
        properties: &["TargetGroupFeasibilityRequestOpenExchangeAllocationsGroup.supplier_id"],
    },
    NeverSent {
        why: "The percentage of a cell is sent, and texts cannot be crossed.",
        versions: &[FIRST, SECOND],
        properties: &[
            "TargetGroupFeasibilityInterlockedProfileRelatedConditionValueV2.allow_all_zip",
            "TargetGroupFeasibilityInterlockedProfileRelatedConditionValueV2.zip_codes",
            "TargetGroupFeasibilityInterlockedQuotaV2.quota_nominal",
        ],
    },
    NeverSent {
        why: "Two names of one thing; the other one is sent.",
        versions: &[NEWEST],
        properties: &[
            "CalculateTargetGroupFeasibilityByIdRequest.cost_per_interview",
            "CalculateTargetGroupFeasibilityRequest.price",
        ],
    },
    NeverSent {
        why: "A default for entries without a period of their own: the API's own default, which the SDK documents.",
        versions: &[NEWEST],
        properties: &["SetRespondentActivityExclusionsRequest.duration"],
    },
    NeverSent {
        why: "How many decimals an amount has, which its text says already.",
        versions: &[FIRST, NEWEST],
        properties: &["MonetaryAmount.currency_scale"],
    },
    NeverSent {
        why: "Words for people, which the API makes of the conditions.",
        versions: &[NEWEST],
        properties: &[
            "TemplateQuotaDetailsV3/oneOf/0.text",
            "TemplateQuotaDetailsV3/oneOf/0.text_translated",
            "TemplateQuotaDetailsV3/oneOf/1.text",
            "TemplateQuotaDetailsV3/oneOf/1.text_translated",
        ],
    },
    NeverSent {
        why: "Words for people, which the API makes of the conditions.",
        versions: &[FIRST, SECOND],
        properties: &["RegularProfileRangeConditionsTemplate.data/items.text"],
    },
    NeverSent {
        why: "The helper makes a name of the questions by itself, and texts cannot be crossed.",
        versions: &[FIRST, SECOND],
        properties: &[
            "ApplyProfileZipConditions.data",
            "ApplyProfileZipConditions.data/items.allow_all_zip",
            "ApplyProfileZipConditions.data/items.zip_codes",
            "ApplyProfileZipConditions.object",
            "GenerateDraftInterlockRequest.profiles/items.name",
        ],
    },
    NeverSent {
        why: "A list that must be empty, and an alternative that takes the same as the one before it.",
        versions: &[NEWEST],
        properties: &[
            "FillingGoalUpdateRequestV3/oneOf/0.profiles",
            "FillingGoalUpdateRequestV3/oneOf/0.profiles/items.profile_id",
            "FillingGoalUpdateRequestV3/oneOf/0.profiles/items.quotas",
            "FillingGoalUpdateRequestV3/oneOf/0.profiles/items.quotas/items.completes_goal",
            "FillingGoalUpdateRequestV3/oneOf/0.profiles/items.quotas/items.quota_id",
            "FillingGoalUpdateRequestV3/oneOf/2.completes_goal",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles/items.profile_id",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles/items.targets",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles/items.targets/items.id",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles/items.targets/items.quota",
            "FillingGoalUpdateRequestV3/oneOf/2.profiles/items.targets/items.quota.completes_goal",
        ],
    },
    NeverSent {
        why: "The same in percent, as an alternative: suggested quotas are asked for in completes.",
        versions: &[NEWEST],
        properties: &[
            "PanelDistributionRequestV3/oneOf/0.collects_pii",
            "PanelDistributionRequestV3/oneOf/0.completes_goal",
            "PanelDistributionRequestV3/oneOf/0.end_at",
            "PanelDistributionRequestV3/oneOf/0.locale",
            "PanelDistributionRequestV3/oneOf/0.profile",
            "PanelDistributionRequestV3/oneOf/0.profile_adjustment_type",
            "PanelDistributionRequestV3/oneOf/0.start_at",
        ],
    },
    NeverSent {
        why: "The API has made the interlock: its profiles and cells are named by their ids, not described again.",
        versions: &[FIRST, SECOND],
        properties: &[
            "InputDraftInterlockedParticipantRangeProfileCondition.max",
            "InputDraftInterlockedParticipantRangeProfileCondition.min",
            "InputDraftInterlockedParticipantSelectionProfileCondition.option",
            "InputDraftInterlockedParticipantZipProfileCondition.allow_all_zip",
            "InputDraftInterlockedParticipantZipProfileCondition.zip_codes",
            "InputDraftParticipantProfile.conditions",
            "InputDraftParticipantProfile.conditions.data",
            "InputDraftParticipantProfile.conditions.object",
            "InputDraftParticipantProfile.quotas",
            "InputDraftParticipantProfile.quotas.grouped",
            "InputDraftParticipantProfile.quotas.ungrouped",
            "TargetGroupInputDraftInterlockedParticipantProfile.conditions",
            "TargetGroupInputDraftInterlockedParticipantProfile.conditions.data",
            "TargetGroupInputDraftInterlockedParticipantProfile.conditions.object",
            "TargetGroupInputDraftInterlockedParticipantProfile.quotas",
            "TargetGroupInputDraftInterlockedParticipantProfile.quotas.grouped",
            "TargetGroupInputDraftInterlockedParticipantProfile.quotas.ungrouped",
        ],
    },
];

/// How many properties of each version are never sent. It only goes down.
const COUNTS: [(&str, usize); 3] = [(FIRST, 27), (SECOND, 26), (NEWEST, 28)];

/// Every property that is not sent is listed, and none that is.
pub fn every_one_is_explained(date: &str, never_sent: &BTreeSet<String>) {
    let mut listed: BTreeSet<String> = BTreeSet::new();
    for group in NEVER_SENT.iter().filter(|group| group.versions.contains(&date)) {
        assert!(group.why.ends_with('.'), "{:?} is no reason", group.why);
        for property in group.properties {
            assert!(listed.insert((*property).to_owned()), "{property} is listed twice");
        }
    }
    println!("{date}: {} properties of request bodies are never sent", listed.len());
    assert!(COUNTS.contains(&(date, listed.len())), "{date}: {} properties, and those in `COUNTS`", listed.len());
    let unexplained: Vec<&String> = never_sent.difference(&listed).collect();
    let outdated: Vec<&String> = listed.difference(never_sent).collect();
    assert!(
        unexplained.is_empty() && outdated.is_empty(),
        "{date}: never sent, without a reason: {unexplained:#?}; listed, and sent or gone: {outdated:#?}"
    );
}
