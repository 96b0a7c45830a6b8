//! 2025-12-18 on the wire: one list of regular and blended profiles, `completes_goal`, If-Match on every action.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::v2025_12_18::{Client, PostReconciliationsParams, types};

use super::fielding::fielding;
use super::projects::projects;
use super::{Wire, common_calls, money, timestamp};
use crate::audience::{Audience, Condition};
use crate::error::Error;
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::quota::QuotaTable;
use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
use crate::supply::{Supply, SupplyKind};
use crate::target_group::TargetGroupDraft;
use crate::value::Money;
use crate::version::V2025_12_18;

projects!(V2025_12_18, v2025_12_18, if_match: required, reference: project_customer_reference_number,
    summary: target_group_references = target_group_customer_reference_numbers);
fielding!(V2025_12_18, v2025_12_18, if_match: required, run: created_fielding_run_id);

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for V2025_12_18 {
    common_calls!(v2025_12_18);

    async fn feasibility(
        raw: &Client,
        account: i64,
        _project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<Feasibility, Error> {
        let body = types::CalculateTargetGroupFeasibilityRequest {
            allocations: None,
            business_unit_id: draft.business_unit.get(),
            collects_pii: Some(draft.collects_pii),
            completes_goal: i64::from(draft.completes_goal),
            cost_per_interview: draft.cost_per_interview.as_ref().map(amount),
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.minutes()),
            fielding_specification: field(draft),
            locale: draft.locale.to_string(),
            price: None,
            profiling: Some(types::CalculateTargetGroupFeasibilityRequestProfiling {
                profile_adjustment_type: "nominal".to_owned(),
                profiles: feasibility_profiles(&draft.audience, draft.completes_goal),
            }),
            rate_card_price_boost: None,
            step_days: None,
        };
        let answer = raw.calculate_target_group_feasibility(account, &body).await?.into_value();
        let range = answer.suggested_completes_goal_range.as_ref();
        let price = answer.suggested_price.as_ref();
        Ok(Feasibility {
            completes_min: range.and_then(|range| range.min),
            completes_max: range.and_then(|range| range.max),
            suggested_price: price.and_then(|price| money(price.value.as_deref(), price.currency_code.as_deref())),
        })
    }

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let body = types::CreateDraftTargetGroupRequest {
            allocations: allocations(&draft.supply),
            business_unit_id: draft.business_unit.to_string(),
            client_cost_per_interview_note: None,
            client_id: None,
            collects_pii: draft.collects_pii,
            completes_goal: i64::from(draft.completes_goal),
            cost_per_interview: draft.cost_per_interview.as_ref().map(amount),
            exclusion: None,
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.minutes()),
            fielding_assistant_assignment: types::FieldingAssistantModulesAssignmentRequestModel {
                // Quotas are of little use where they can be overfilled.
                quota_overlay: Some(types::ModuleQuotaOverlayInput { prevent_overfill: true, balance_fill: false }),
                ..Default::default()
            },
            fielding_specification: field(draft),
            industry_code: None,
            industry_lockout_code: None,
            live_url: Some(Some(draft.live_url.to_string())),
            locale: draft.locale.to_string(),
            name: draft.name.clone(),
            profiling: Some(Some(types::ProfilingRequest {
                profile_adjustment_type: Some(types::ProfilingRequestProfileAdjustmentType::Nominal),
                profiles: Some(profiles(&draft.audience, draft.completes_goal)),
                template_id: None,
            })),
            project_manager_id: draft.manager.to_string(),
            re_entry_configuration: None,
            respondent_activity_exclusions: None,
            study_type_code: None,
            // By this it can be found again, should its answer be lost.
            target_group_customer_reference_number: Some(Some(format!("cintx-{}", ulid::Ulid::new()))),
            test_url: draft.test_url.as_ref().map(|url| Some(url.to_string())),
        };
        let answer = raw.create_target_group(account, project.as_str(), &body).await?.into_value();
        answer
            .id
            .map(|id| TargetGroupId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("create_target_group", "id"))
    }

    async fn submit_reconciliation(
        raw: &Client,
        account: i64,
        file_name: &str,
        csv: Bytes,
    ) -> Result<ReconciliationId, Error> {
        let params = PostReconciliationsParams { name: Some(file_name.to_owned()), idempotency_key: None };
        let answer = raw.post_reconciliations(account, csv, &params).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

fn field(draft: &TargetGroupDraft) -> types::TargetGroupFieldingSpecificationInput {
    types::TargetGroupFieldingSpecificationInput {
        start_at: timestamp(draft.field.start()),
        end_at: timestamp(draft.field.end()),
    }
}

fn amount(money: &Money) -> types::MonetaryAmountRequestModel {
    types::MonetaryAmountRequestModel {
        value: Some(money.value().to_string()),
        currency_code: Some(money.currency().to_owned()),
    }
}

fn condition(question: i64, condition: &Condition) -> types::InterlockProfileConditionsV3Input {
    use types::InterlockProfileConditionsV3Object as Kind;
    let (object, min, max, option) = match condition {
        Condition::Range { min, max } => (Kind::Range, Some(i64::from(*min)), Some(i64::from(*max)), None),
        Condition::Option(option) => (Kind::Selection, None, None, Some(option.clone())),
    };
    types::InterlockProfileConditionsV3Input {
        object,
        question_id: question,
        min,
        max,
        option,
        allow_all_values: None,
        open_ended_values: None,
    }
}

/// What somebody must answer to count for a target, and how many such completes are wanted.
type Target = (Vec<types::InterlockProfileConditionsV3Input>, u32);

/// Each profile's targets, and whether they are crossed: one profile of crossed cells for an interlock,
/// one for each question otherwise.
fn targets(audience: &Audience, goal: u32) -> Vec<(bool, Vec<Target>)> {
    if let Some((rows, columns)) = audience.crossed()
        && let Ok(table) = QuotaTable::solve(rows, columns, goal)
    {
        let of = |question: &crate::Question| -> Vec<_> {
            question.conditions().map(|(given, _)| condition(question.id(), given)).collect()
        };
        let (rows, columns) = (of(rows), of(columns));
        let cells = table
            .cells()
            .map(|(row, column, completes)| (vec![rows[row].clone(), columns[column].clone()], completes))
            .collect();
        return vec![(true, cells)];
    }
    audience
        .questions()
        .iter()
        .map(|question| {
            let targets = question.conditions().zip(question.counts(goal));
            (false, targets.map(|((given, _), completes)| (vec![condition(question.id(), given)], completes)).collect())
        })
        .collect()
}

fn profiles(audience: &Audience, goal: u32) -> Vec<types::RequestDraftRegularProfileV3Input> {
    let quota = |completes: u32| types::RequestDraftRegularProfileV3BlendedTargetsQuotaInput {
        completes_goal: Some(i64::from(completes)),
        completes_goal_percentage: None,
        name: None,
    };
    targets(audience, goal)
        .into_iter()
        .map(|(blended, targets)| {
            if blended {
                let targets = targets
                    .into_iter()
                    .map(|(conditions, completes)| types::RequestDraftRegularProfileV3BlendedTargetsInput {
                        conditions,
                        object: Some("nominal".to_owned()),
                        quota: Some(quota(completes)),
                    })
                    .collect();
                types::RequestDraftRegularProfileV3Input::Blended(types::RequestDraftRegularProfileV3BlendedInput {
                    blended_type: Some(types::RequestDraftRegularProfileV3BlendedBlendedType::Interlock),
                    name: "interlock".to_owned(),
                    quotas_enabled: true,
                    targets,
                })
            } else {
                let targets = targets
                    .into_iter()
                    .map(|(conditions, completes)| types::RequestDraftRegularProfileV3RegularTargetsInput {
                        conditions,
                        object: Some("nominal".to_owned()),
                        quota: Some(types::RequestDraftRegularProfileV3RegularTargetsQuotaInput {
                            completes_goal: Some(i64::from(completes)),
                            completes_goal_percentage: None,
                            name: None,
                        }),
                    })
                    .collect();
                types::RequestDraftRegularProfileV3Input::Regular(types::RequestDraftRegularProfileV3RegularInput {
                    name: None,
                    quotas_enabled: true,
                    targets,
                })
            }
        })
        .collect()
}

fn feasibility_profiles(audience: &Audience, goal: u32) -> Vec<types::FeasibilityRequestDraftRegularProfileV3> {
    targets(audience, goal)
        .into_iter()
        .map(|(blended, targets)| {
            let targets = targets
                .into_iter()
                .map(|(conditions, completes)| types::FeasibilityRequestQuotaDetailsV3 {
                    conditions,
                    name: None,
                    quota: Some(types::FeasibilityRequestQuotaDetailsV3Quota {
                        completes_goal: Some(i64::from(completes)),
                        completes_goal_percentage: None,
                    }),
                })
                .collect();
            if blended {
                types::FeasibilityRequestDraftRegularProfileV3::Blended(
                    types::FeasibilityRequestDraftRegularProfileV3Blended {
                        blended_type: Some(types::FeasibilityRequestDraftRegularProfileV3BlendedBlendedType::Interlock),
                        quotas_enabled: true,
                        targets,
                    },
                )
            } else {
                types::FeasibilityRequestDraftRegularProfileV3::Regular(
                    types::FeasibilityRequestDraftRegularProfileV3Regular { quotas_enabled: true, targets },
                )
            }
        })
        .collect()
}

fn allocations(supply: &Supply) -> types::CreateDraftAllocationSpecificationGroupRequest {
    let (groups, exchange_max_percentage) = match &supply.0 {
        SupplyKind::OpenExchange => (Vec::new(), 100),
        // The exchange's maximum of nothing keeps everybody else out.
        SupplyKind::Only { name, suppliers } => {
            let group = types::CreateDraftAllocationSpecificationGroupRequestOpenExchangeAllocationsGroups {
                group_name: name.clone(),
                min_percentage: 0,
                max_percentage: 100,
                suppliers: suppliers.iter().map(i64::to_string).collect(),
            };
            (vec![group], 0)
        }
    };
    types::CreateDraftAllocationSpecificationGroupRequest {
        open_exchange_allocations: types::CreateDraftAllocationSpecificationGroupRequestOpenExchangeAllocations {
            blocked_supplier_ids: Vec::new(),
            exchange_max_percentage,
            exchange_min_percentage: 0,
            groups,
        },
        private_exchange_allocations: None,
    }
}
