//! 2025-02-17 on the wire: money as value and currency code, both survey addresses required,
//! profiles and interlocked profiles in two lists.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::NEW_KEY;
use cintx_raw::v2025_02_17::{Client, types};

use super::assistant::assistant;
use super::audience::legacy;
use super::bulk::bulk;
use super::calendar::calendar;
use super::directory::directory;
use super::exclusions::{exclusion_lists, exclusion_policies};
use super::fielding::fielding;
use super::groups::groups;
use super::library::library_questions;
use super::price::{group_rate_card, price};
use super::projects::projects;
use super::quotas::legacy::legacy_quotas;
use super::read::{Field, Missing, Read};
use super::statistics::{performance, statistics};
use super::supply::{from_list, supply_list};
use super::supply_templates::supply_templates;
use super::templates::templates;
use super::{Wire, amounts, common_calls, from_json, legacy_audience, legacy_calls, money, timestamp, to_json};
use crate::error::Error;
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
use crate::supply::Supply;
use crate::target_group::TargetGroupDraft;
use crate::version::V2025_02_17;

directory!(V2025_02_17, v2025_02_17, clients: |_ask| ());
calendar!(V2025_02_17, v2025_02_17, field: |locale, field| (
    crate::wire::calendar::days(field), &timestamp(field.start()), &timestamp(field.end()), &locale
));
exclusion_policies!(V2025_02_17, v2025_02_17);
exclusion_lists!(V2025_02_17, v2025_02_17);
library_questions!(
    V2025_02_17, v2025_02_17,
    details: |locale| &locale,
    list: |account, filter| ACCOUNT_QUESTIONS_TRANSLATION, account_questions_translation(account),
        AccountQuestionsTranslationParams { only_custom_quals: filter.only_custom, }
);
impl crate::HasCustomQuestions for V2025_02_17 {}
templates!(V2025_02_17, v2025_02_17, form: by_place);
projects!(V2025_02_17, v2025_02_17, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2025_02_17, v2025_02_17);

impl crate::Validates for V2025_02_17 {}
impl super::quotas::ValidatesWire for V2025_02_17 {
    async fn validate(
        raw: &Client,
        account: i64,
        audience: &crate::Audience,
        goal: u32,
        locale: &str,
    ) -> Result<Vec<serde_json::Value>, Error> {
        audience.only_what_all_versions_have()?;
        let crossed = audience.crossed().map_or(&[][..], crate::Interlock::questions).iter();
        let crossed = crossed.map(|question| legacy::profile(question, goal, legacy::Form::Draft));
        // An interlock is made by the helper; here its questions are looked at side by side.
        let profiles: Vec<_> = legacy::drafts(audience, goal).into_iter().chain(crossed).collect();
        let body = serde_json::json!({
            "locale": locale, "filling_goal": goal, "profile_adjustment_type": "percentage", "profiles": profiles,
        });
        let body: types::ApplyProfilesRequestBody = from_json("audience", body)?;
        let answer = raw.validate_profiles(account, &body).await?.into_value();
        answer.iter().map(to_json).collect()
    }
}

fielding!(V2025_02_17, v2025_02_17, if_match: optional, run: created_fielding_run_id);
supply_list!(V2025_02_17, v2025_02_17);
supply_templates!(V2025_02_17, v2025_02_17, if_match: optional, locale: |locale| &locale, &locale, &locale);
bulk!(V2025_02_17, v2025_02_17, key: ());
price!(V2025_02_17, v2025_02_17, card: RateCardData, within_project: true, goal: filling_goal in suggested_filling_goal_range, dates: start_date end_date);
group_rate_card!(V2025_02_17, v2025_02_17);
assistant!(V2025_02_17, v2025_02_17, gemini: true);
statistics!(V2025_02_17, v2025_02_17, changelog_page: 100, kinds: |_kinds| {}, overview: { - created_at, manager, reference });
performance!(V2025_02_17, v2025_02_17);
groups!(
    V2025_02_17, v2025_02_17,
    names: Names {
        goal: "filling_goal",
        money: ("value", "currency_code"),
        profiles: "profile",
        supply: ("supply_allocations", false),
    },
    create: (), reference: false, goal: filling_goal,
    draft: {
        supply = supply_allocations - reference
    },
    summary: { excluding = exclusion - reference },
    filter: |_filter| {},
    settings: { cost_note = client_cpi - reference },
    update: |settings| {
        client_cpi: settings.cost_note.as_ref().map(Into::into),
        industry_lockout_code: settings.lockout.as_ref().map(ToString::to_string),
    }
);
amounts!(
    v2025_02_17,
    write: [MonetaryAmountRequestModel { value, currency_code }],
    read: [
        MonetaryAmount { value, currency_code },
        AverageCostPerInterview { value, currency_code },
        EarningsPerClick { value, currency_code },
        EarningsPerClickPerMinute { value, currency_code },

    ]
);

impl Field<Option<Vec<types::GetTargetGroupResponseSupplyAllocations>>> for Supply {
    fn field(wire: Option<Vec<types::GetTargetGroupResponseSupplyAllocations>>) -> Result<Self, Missing> {
        let list: Result<Vec<_>, _> = wire.iter().flatten().map(super::to_json).collect();
        list.map(|list| from_list(&list)).map_err(|_| Missing("supply_allocations"))
    }
}

impl Read<types::TargetGroupExclusionObject> for bool {
    fn read(wire: types::TargetGroupExclusionObject) -> Result<Self, Missing> {
        wire.enabled.ok_or(Missing("enabled"))
    }
}

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for V2025_02_17 {
    common_calls!(v2025_02_17);
    legacy_calls!(feasibility: {  });

    async fn profiles(raw: &Client, account: i64, draft: &TargetGroupDraft) -> Result<serde_json::Value, Error> {
        super::to_json(&draft_profiles(raw, account, draft).await?)
    }

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let profile = Self::profiles(raw, account, draft).await?;
        groups::create(raw, account, project, &draft.settings, [("profile", profile)]).await
    }

    async fn submit_reconciliation(
        raw: &Client,
        account: i64,
        file_name: &str,
        csv: Bytes,
    ) -> Result<ReconciliationId, Error> {
        let answer = raw.post_reconciliations(account, file_name, NEW_KEY, csv).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

legacy_audience!(adjustment: "percentage".to_owned());
