//! Target groups on the wire. A draft is written as JSON, once, in each version's names, and held against its types:
//! creating and replacing one take the same fields, in types that share nothing.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::assistant::to_modules;
use super::supply::{to_draft_specification, to_list};
use super::{Answer, Wire, timestamp};
use crate::paging::{PageRequest, RawPage};
use crate::reference::account::BusinessUnit;
use crate::target_group::{
    Draft, DraftSettings, FillingStrategy, KeptDraft, LaunchedSettings, TargetGroupDetails, TargetGroupDraft,
    TargetGroupFilter, TargetGroupSummary,
};
use crate::types::Money;
use crate::types::ids::{ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait GroupsWire: Wire {
    /// Whether target groups have a number of the buyer's own.
    const GROUP_REFERENCE: bool;

    fn create_target_group(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;

    fn draft(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Draft>> + Send;

    /// Another audience, as a request wants it, takes the place of the kept one.
    fn update_draft(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &DraftSettings,
        kept: &KeptDraft,
        audience: Option<Value>,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn create_like(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        settings: &DraftSettings,
        kept: &KeptDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;

    fn list_target_groups(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        filter: &TargetGroupFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<TargetGroupSummary>>> + Send;

    fn details(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<TargetGroupDetails>> + Send;

    fn set_details(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &LaunchedSettings,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn set_cost_per_interview(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        price: &Money,
    ) -> impl Future<Output = Answer<Money>> + Send;

    fn set_filling_strategy(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        strategy: &FillingStrategy,
    ) -> impl Future<Output = Answer<FillingStrategy>> + Send;

    fn business_units(raw: &Self::Raw, account: i64) -> impl Future<Output = Answer<Vec<BusinessUnit>>> + Send;
}

/// What a version calls the parts of a draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// How many completes are wanted.
    pub(crate) goal: &'static str,
    /// An amount of money: its value and its currency.
    pub(crate) money: (&'static str, &'static str),
    /// Whom to ask.
    pub(crate) profiles: &'static str,
    /// Who delivers, and whether that is one specification rather than a list.
    pub(crate) supply: (&'static str, bool),
}

/// What a request does with a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Replace,
}

/// A draft's request: its settings, and whatever else is given as it is.
pub(crate) fn draft_body(
    names: Names,
    write: Write,
    settings: &DraftSettings,
    rest: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let amount = |money: &Money| json!({ names.money.0: money.value().to_string(), names.money.1: money.currency() });
    // Both addresses are required by one version, and the test address is the live one if nothing else is said.
    let live = settings.live_url.as_ref().map(ToString::to_string);
    let test = settings.test_url.as_ref().map(ToString::to_string).or_else(|| live.clone());
    let mut body: Map<String, Value> = rest.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("name", json!(settings.name));
    set("business_unit_id", json!(settings.business_unit.to_string()));
    set("project_manager_id", json!(settings.manager.to_string()));
    set("locale", json!(settings.locale.to_string()));
    set(names.goal, json!(settings.completes_goal));
    set("expected_length_of_interview_minutes", json!(settings.length_of_interview.as_minutes()));
    set("expected_incidence_rate", json!(settings.incidence_rate.fraction()));
    let (start, end) = (timestamp(settings.fielding_period.start()), timestamp(settings.fielding_period.end()));
    set("fielding_specification", json!({ "start_at": start, "end_at": end }));
    set("collects_pii", json!(settings.collects_pii));
    set("fielding_assistant_assignment", to_modules(&settings.assistant));
    let supply = match names.supply.1 {
        // New groups get their ids from the API; one that is replaced keeps the id it has.
        true => to_draft_specification(&settings.supply, write == Write::Replace),
        false => Value::Array(to_list(&settings.supply, "id")),
    };
    set(names.supply.0, supply);
    let optional = [
        ("cost_per_interview", settings.cost_per_interview.as_ref().map(amount)),
        ("client_cost_per_interview_note", settings.cost_note.as_ref().map(amount)),
        ("client_id", settings.client.map(|client| json!(client.get()))),
        ("industry_code", settings.industry.as_ref().map(|code| json!(code.as_str()))),
        ("industry_lockout_code", settings.lockout.as_ref().map(|code| json!(code.as_str()))),
        ("study_type_code", settings.study_type.as_ref().map(|code| json!(code.as_str()))),
        ("live_url", live.map(Value::String)),
        ("test_url", test.map(Value::String)),
        ("target_group_customer_reference_number", settings.reference.as_ref().map(|number| json!(number))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            set(name, value);
        }
    }
    Value::Object(body)
}

/// The parts of a draft that are not in its settings, as a request wants them.
pub(crate) fn kept_parts(names: Names, kept: &KeptDraft) -> Vec<(&'static str, Value)> {
    let parts = [names.profiles, "exclusion", "re_entry_configuration", "respondent_activity_exclusions"];
    let given = parts.into_iter().filter_map(|name| Some((name, kept.0.get(name)?.clone())));
    given
        .map(|(name, part)| match name {
            "profiling" => (name, profiling(part)),
            "profile" => (name, profile(part)),
            _ => (name, part),
        })
        .collect()
}

/// Profiles as they were read, in the form in which they are sent: what is behind an interlock is named, not described.
fn profile(mut profile: Value) -> Value {
    let interlocked = profile.get_mut("interlocked_profiles").and_then(Value::as_array_mut);
    for interlock in interlocked.into_iter().flatten() {
        for participant in interlock.get_mut("profiles").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = participant.as_object_mut() {
                let kept = ["id", "interlock_id", "question_id", "quotas_enabled"];
                fields.retain(|name, _| kept.contains(&name.as_str()));
            }
        }
    }
    profile
}

/// Profiles as they were read, in the form in which they are sent: a quota is either a number or a percentage.
fn profiling(mut profiling: Value) -> Value {
    let nominal = profiling["profile_adjustment_type"] == "nominal";
    let profiles = profiling.get_mut("profiles").and_then(Value::as_array_mut);
    for profile in profiles.into_iter().flatten() {
        for target in profile.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
            match target.get_mut("quota").and_then(Value::as_object_mut) {
                Some(quota) => {
                    let (keep, leave) = match nominal {
                        true => ("completes_goal", "completes_goal_percentage"),
                        false => ("completes_goal_percentage", "completes_goal"),
                    };
                    if quota.contains_key(keep) {
                        quota.remove(leave);
                    }
                }
                // The document asks for it where there is no quota.
                None => target["object"] = json!("nominal"),
            }
        }
    }
    profiling
}

/// One version's target groups: its names, what its answers call things, the fields that not every version has.
macro_rules! groups {
    (
        $marker:ident, $version:ident, names: $names:expr, create: ($($create:expr)?), reference: $has_reference:literal,
        goal: $goal:ident,
        draft: { $($draft:tt)* },
        summary: { $($summary:tt)* }, $(switch: $switch:ident,)?
        filter: |$wanted:ident| { $($filter:tt)* },
        settings: { $($settings:tt)* },
        update: |$given:ident| { $($update:tt)* }
    ) => {
        mod groups {
            use cintx_raw::$version::*;
            use serde_json::Value;

            use crate::reference::account::BusinessUnit;
            use crate::fielding::assistant::FieldingAssistant;
            use crate::error::Error;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::paging::{PageRequest, RawPage};
            use crate::target_group::{
                Draft, DraftSettings, FillingStrategy, Issue, KeptDraft, LaunchedSettings, PricingModel, Statistic,
                TargetGroupDetails, TargetGroupDraft, TargetGroupFilter, TargetGroupStatistics, TargetGroupSummary,
            };
            use crate::types::{Money, TimeRange};
            use crate::wire::assistant::from_modules;
            use crate::wire::audience::AudienceWire as _;
            use crate::wire::groups::{GroupsWire, Names, Write, draft_body, kept_parts};
            use crate::wire::page;
            use crate::wire::read::{Field, Missing, Read, list, read, read_words, reads, required};
            use crate::wire::{from_json, to_json};

            const NAMES: Names = $names;

            read_words! { PricingModel = BusinessUnitPricingModels; }
            reads! {
                BusinessUnit = BusinessUnit { id; name, currency = currency_code, pricing_models }
                DraftSettings = GetTargetGroupResponse {
                    name, business_unit = business_unit_id, manager = project_manager_id, locale,
                    length_of_interview = expected_length_of_interview_minutes,
                    incidence_rate = expected_incidence_rate, fielding_period = fielding_specification, completes_goal = $goal;
                    collects_pii, assistant = fielding_assistant_assignment,
                    client = client_id, industry = industry_code, lockout = industry_lockout_code,
                    study_type = study_type_code, live_url, test_url, cost_per_interview,
                    cost_note = client_cost_per_interview_note,
                    $($draft)*
                }
                TargetGroupSummary = TargetGroupsListItem {
                    id;
                    statistics, human_readable_id, name, highlighted_name, status, locale, manager = project_manager_id,
                    created_at, updated_at, $($summary)*
                }
                TargetGroupStatistics = TargetGroupStatistics {
                    ;
                    progress, average_cost_per_interview, conversion_rate, drop_off_rate, incidence_rate,
                    median_length_of_interview_seconds, earnings_per_click, earnings_per_click_per_minute,
                    last_complete = last_complete_date
                }
                LaunchedSettings = GetTargetGroupDetailsResponse {
                    name, manager = project_manager_id, length_of_interview = expected_length_of_interview_minutes,
                    incidence_rate = expected_incidence_rate, live_url, test_url;
                    lockout = industry_lockout_code, $($settings)*
                }
            }

            $(
                impl Read<types::$switch> for bool {
                    fn read(wire: types::$switch) -> Result<Self, Missing> {
                        wire.enabled.ok_or(Missing("enabled"))
                    }
                }
            )?

            impl Read<types::TargetGroupFieldingSpecification> for TimeRange {
                fn read(wire: types::TargetGroupFieldingSpecification) -> Result<Self, Missing> {
                    let start: jiff::Timestamp = required("start_at", wire.start_at)?;
                    let end = required("end_at", wire.end_at)?;
                    (start..end).try_into().map_err(|_| Missing("fielding_specification"))
                }
            }

            impl Field<Option<types::FieldingAssistantModulesAssignment>> for FieldingAssistant {
                fn field(wire: Option<types::FieldingAssistantModulesAssignment>) -> Result<Self, Missing> {
                    to_json(&wire).map(|modules| from_modules(&modules)).map_err(|_| Missing("modules"))
                }
            }

            impl Field<Option<types::TargetGroupStatistics>> for TargetGroupStatistics {
                fn field(wire: Option<types::TargetGroupStatistics>) -> Result<Self, Missing> {
                    wire.map_or_else(|| Ok(Self::default()), Read::read)
                }
            }

            impl Read<types::TargetGroupStatisticIssue> for Issue {
                fn read(wire: types::TargetGroupStatisticIssue) -> Result<Self, Missing> {
                    let reason = wire.reason.unwrap_or_default();
                    Ok(Self {
                        kind: wire.issue_type.map(|kind| kind.to_string()),
                        code: reason.code,
                        description: reason.description,
                        suggestions: wire.suggestions.into_iter().flatten().filter_map(|it| it.description).collect(),
                    })
                }
            }

            macro_rules! statistic {
                ($figure:ty, $wire:ident) => {
                    impl Field<Option<types::$wire>> for Statistic<$figure> {
                        fn field(wire: Option<types::$wire>) -> Result<Self, Missing> {
                            let wire = wire.unwrap_or_default();
                            Ok(Self { value: Field::field(wire.value)?, issues: Field::field(wire.issues)? })
                        }
                    }
                };
            }
            statistic!(crate::target_group::statistics::Progress, TargetGroupStatisticsProgress);
            statistic!(Money, TargetGroupStatisticsAverageCostPerInterview);
            statistic!(f64, TargetGroupStatisticsConversionRate);
            statistic!(f64, TargetGroupStatisticsDropOffRate);
            statistic!(f64, TargetGroupStatisticsIncidenceRate);
            statistic!(i64, TargetGroupStatisticsMedianLengthOfInterviewSeconds);
            statistic!(Money, TargetGroupStatisticsEarningsPerClick);
            statistic!(Money, TargetGroupStatisticsEarningsPerClickPerMinute);
            statistic!(jiff::Timestamp, TargetGroupStatisticsLastCompleteDate);

            /// Creates a draft.
            async fn create(
                raw: &Client,
                account: i64,
                project: &ProjectId,
                settings: &DraftSettings,
                rest: impl IntoIterator<Item = (&'static str, Value)>,
            ) -> Result<TargetGroupId, Error> {
                let body = from_json("draft", draft_body(NAMES, Write::Create, settings, rest))?;
                let answer = raw.create_target_group(account, project.as_str(), &body $(, $create)?).await?.into_value();
                let id = answer.id.ok_or_else(|| Error::incomplete("create_target_group", "id"))?;
                Ok(TargetGroupId::new(id.as_str()))
            }

            impl GroupsWire for crate::$marker {
                const GROUP_REFERENCE: bool = $has_reference;

                async fn create_target_group(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    draft: &TargetGroupDraft,
                ) -> Result<TargetGroupId, Error> {
                    let audience = Self::audience(raw, account, draft).await?;
                    create(raw, account, project, &draft.settings, [(NAMES.profiles, audience)]).await
                }

                async fn draft(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<Draft, Error> {
                    let answer = raw.get_target_group(account, project.as_str(), group.as_str()).await?.into_value();
                    Ok(Draft {
                        kept: KeptDraft(to_json(&answer)?),
                        human_readable_id: answer.human_readable_id.as_ref().map(ToString::to_string),
                        created_at: answer.created_at.as_deref().and_then(|at| at.parse().ok()),
                        pricing_model: answer.pricing_model.as_ref().map(|model| PricingModel::parse(model.as_str())),
                        test_survey_link: answer.links.as_ref().and_then(|links| links.test_client_survey.clone()),
                        settings: read(&operations::GET_TARGET_GROUP, answer)?,
                    })
                }

                async fn update_draft(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    settings: &DraftSettings,
                    kept: &KeptDraft,
                    audience: Option<Value>,
                ) -> Result<(), Error> {
                    let mut rest = kept_parts(NAMES, kept);
                    // What stands later wins.
                    rest.extend(audience.map(|audience| (NAMES.profiles, audience)));
                    let body = draft_body(NAMES, Write::Replace, settings, rest);
                    let body = from_json("draft", body)?;
                    raw.update_target_group(account, project.as_str(), group.as_str(), &body).await?;
                    Ok(())
                }

                async fn create_like(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    settings: &DraftSettings,
                    kept: &KeptDraft,
                ) -> Result<TargetGroupId, Error> {
                    create(raw, account, project, settings, kept_parts(NAMES, kept)).await
                }

                async fn list_target_groups(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    filter: &TargetGroupFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<TargetGroupSummary>, Error> {
                    let $wanted = filter;
                    fn some<T: ToString>(values: &[T]) -> Option<Vec<String>> {
                        (!values.is_empty()).then(|| values.iter().map(ToString::to_string).collect())
                    }
                    let status: Vec<_> = filter.status.iter().map(|status| status.as_str().into()).collect();
                    let project = project.as_str();
                    page!(ask => raw.get_list_target_groups(account, project), GET_LIST_TARGET_GROUPS, GetListTargetGroupsParams {
                        exclusion_status: filter.excluding,
                        name: filter.name.clone(),
                        search_string: filter.search.clone(),
                        human_readable_ids: some(&filter.human_readable_ids),
                        status: (!status.is_empty()).then_some(status),
                        country: some(&filter.countries),
                        language: some(&filter.languages),
                        $($filter)*
                    }, target_groups, has_more)
                }

                async fn details(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<TargetGroupDetails, Error> {
                    let operation = &operations::GET_TARGET_GROUP_DETAILS;
                    let answer =
                        raw.get_target_group_details(account, project.as_str(), group.as_str()).await?.into_value();
                    let links = answer.links.clone().unwrap_or_default();
                    let missing = |Missing(field)| Error::incomplete(operation.id, field);
                    Ok(TargetGroupDetails {
                        settings: read(operation, answer.clone())?,
                        id: group.clone(),
                        human_readable_id: Field::field(answer.human_readable_id).map_err(missing)?,
                        account_name: answer.account_name,
                        business_unit: Field::field(answer.business_unit_id).map_err(missing)?,
                        client: Field::field(answer.client_id).map_err(missing)?,
                        collects_pii: answer.collects_pii,
                        created_at: Field::field(answer.created_at).map_err(missing)?,
                        industry: Field::field(answer.industry_code).map_err(missing)?,
                        study_type: Field::field(answer.study_type_code).map_err(missing)?,
                        locale: Field::field(answer.locale).map_err(missing)?,
                        test_survey_link: links.test_client_survey,
                        test_screener_link: links.test_screener,
                        completes_goal: answer.$goal,
                    })
                }

                async fn set_details(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    $given: &LaunchedSettings,
                ) -> Result<(), Error> {
                    let body = types::TargetGroupDetailsUpdateRequest {
                        name: $given.name.clone(),
                        project_manager_id: $given.manager.to_string(),
                        expected_length_of_interview_minutes: i64::from($given.length_of_interview.as_minutes()),
                        expected_incidence_rate: $given.incidence_rate.fraction(),
                        live_url: $given.live_url.to_string(),
                        test_url: $given.test_url.to_string(),
                        $($update)*
                    };
                    let (project, group) = (project.as_str(), group.as_str());
                    raw.update_launched_target_group_details(account, project, group, &body).await?;
                    Ok(())
                }

                async fn set_cost_per_interview(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    price: &Money,
                ) -> Result<Money, Error> {
                    let body = types::CostPerInterviewUpdateRequest { target_group_cpi: price.into() };
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.update_cost_per_interview(account, project, group, &body).await?.into_value();
                    let missing = |_| Error::incomplete("update_cost_per_interview", "target_group_cpi");
                    required("target_group_cpi", answer.target_group_cpi).map_err(missing)
                }

                async fn set_filling_strategy(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    strategy: &FillingStrategy,
                ) -> Result<FillingStrategy, Error> {
                    let body = types::FillingStrategyUpdateRequest { filling_strategy: strategy.as_str().into() };
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.update_filling_strategy(account, project, group, &body).await?.into_value();
                    let missing = |_| Error::incomplete("update_filling_strategy", "filling_strategy");
                    required("filling_strategy", answer.filling_strategy).map_err(missing)
                }

                async fn business_units(raw: &Client, account: i64) -> Result<Vec<BusinessUnit>, Error> {
                    let answer = raw.get_business_units(account).await?.into_value();
                    list(&operations::GET_BUSINESS_UNITS, answer.business_units)
                }
            }
        }
    };
}
pub(super) use groups;
