//! 2024-12-02 on the wire: money as amount and code, an optional idempotency key for target groups,
//! a launch job that names its run `fielding_run_id`.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::NEW_KEY;
use cintx_raw::v2024_12_02::{Client, PostReconciliationsParams, types};

use super::assistant::assistant;
use super::audience::legacy;
use super::bulk::bulk;
use super::calendar::calendar;
use super::directory::directory;
use super::fielding::fielding;
use super::groups::groups;
use super::library::library_questions;
use super::price::price;
use super::projects::projects;
use super::quotas::legacy::legacy_quotas;
use super::read::{Field, Missing, Read};
use super::statistics::statistics;
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
use crate::version::V2024_12_02;

directory!(V2024_12_02, v2024_12_02, clients: |_ask| ());
calendar!(V2024_12_02, v2024_12_02, field: |locale, field| (
    crate::wire::calendar::days(field), &timestamp(field.start()), &timestamp(field.end()), &SuggestTimeRangeParams { locale: Some(locale) }
));
library_questions!(
    V2024_12_02, v2024_12_02,
    details: |locale| &GetQuestionByIdParams { locale: Some(locale) },
    list: |_account, filter| GET_QUESTIONS_TRANSLATION, get_questions_translation(), GetQuestionsTranslationParams {}
);
templates!(V2024_12_02, v2024_12_02, form: by_place);
projects!(V2024_12_02, v2024_12_02, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2024_12_02, v2024_12_02);
fielding!(V2024_12_02, v2024_12_02, if_match: optional, run: fielding_run_id);
supply_list!(V2024_12_02, v2024_12_02);
supply_templates!(V2024_12_02, v2024_12_02, if_match: optional, locale: |locale| &GetAccountAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetGlobalAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetSystemAllocationTemplateParams { locale: Some(locale) });
bulk!(V2024_12_02, v2024_12_02, key: ());
price!(V2024_12_02, v2024_12_02, card: RateCardRateCardData, within_project: true, goal: filling_goal in suggested_filling_goal_range, dates: start_date end_date);
assistant!(V2024_12_02, v2024_12_02, gemini: false);
statistics!(V2024_12_02, v2024_12_02, changelog_page: 100, kinds: |_kinds| {}, overview: { - created_at, manager, reference });
groups!(
    V2024_12_02, v2024_12_02,
    names: Names {
        goal: "filling_goal",
        money: ("amount", "code"),
        profiles: "profile",
        supply: ("supply_allocations", false),
    },
    create: (&CreateTargetGroupParams { idempotency_key: None }), reference: false, goal: filling_goal,
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
    v2024_12_02,
    write: [CurrencyInput { amount, code }, MonetaryAmountRequestModel { value, currency_code }],
    read: [
        MonetaryAmount { value, currency_code },
        AverageCostPerInterview { value, currency_code },
        EarningsPerClick { value, currency_code },
        EarningsPerClickPerMinute { value, currency_code },
        Currency { amount, code },
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
impl Wire for V2024_12_02 {
    common_calls!(v2024_12_02);
    legacy_calls!(feasibility: { rate_card_price_boost: None, });

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
        let params = PostReconciliationsParams { name: Some(file_name.to_owned()) };
        let answer = raw.post_reconciliations(account, NEW_KEY, csv, &params).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

legacy_audience!(adjustment: types::TargetGroupDraftProfilesRequestProfileAdjustmentType::Percentage);
