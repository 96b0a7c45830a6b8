//! Target groups: drafts and launched ones, created, listed, read, changed.

use super::raw::*;
use serde_json::Value;

use crate::error::{Error, FieldError};
use crate::fielding::assistant::FieldingAssistant;
use crate::paging::{PageRequest, RawPage};
use crate::reference::account::BusinessUnit;
use crate::target_group::{
    Draft, DraftSettings, FillingStrategy, Issue, KeptDraft, LaunchedSettings, PricingModel, Statistic, Suggestion,
    TargetGroupDetails, TargetGroupDraft, TargetGroupFilter, TargetGroupStatistics, TargetGroupSummary,
};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::types::{Money, TimeRange};
use crate::wire::assistant::from_modules;
use crate::wire::audience::AudienceWire as _;
use crate::wire::moment::moment;
use crate::wire::page;
use crate::wire::re_entry::entry_parts;
use crate::wire::read::{Field, Missing, Read, list, read, read_words, reads, required};
use crate::wire::target_groups::{GroupsWire, Write, draft_body, kept_parts, unread};
use crate::wire::{from_json_parts, to_json};

read_words! { PricingModel = BusinessUnitPricingModels; }
reads! {
    BusinessUnit = BusinessUnit { id; name, currency = currency_code, pricing_models }
    TargetGroupStatistics = TargetGroupStatistics {
        ;
        progress, average_cost_per_interview, conversion_rate, drop_off_rate, incidence_rate,
        median_length_of_interview_seconds, earnings_per_click, earnings_per_click_per_minute,
        last_complete = last_complete_date
    }
}

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

impl Read<types::TargetGroupStatisticsIssuesSuggestion> for Suggestion {
    fn read(wire: types::TargetGroupStatisticsIssuesSuggestion) -> Result<Self, Missing> {
        Ok(Self { code: wire.code, description: wire.description })
    }
}

impl Read<types::TargetGroupStatisticIssue> for Issue {
    fn read(wire: types::TargetGroupStatisticIssue) -> Result<Self, Missing> {
        let reason = wire.reason.unwrap_or_default();
        Ok(Self {
            kind: wire.issue_type.map(|kind| kind.to_string()),
            code: reason.code,
            description: reason.description,
            suggestions: Field::field(wire.suggestions)?,
        })
    }
}

/// Reads a figure with its issues: `statistic!(f64, TargetGroupStatisticsDropOffRate)` expands to
/// `impl Field<Option<types::TargetGroupStatisticsDropOffRate>> for Statistic<f64>`.
macro_rules! statistic {
    ($figure:ty, $wire:ident) => {
        impl Field<Option<types::$wire>> for Statistic<$figure> {
            #[inline]
            fn field(wire: Option<types::$wire>) -> Result<Self, Missing> {
                let wire = wire.unwrap_or_default();
                Ok(Self { value: Field::field(wire.value)?, issues: Field::field(wire.issues)? })
            }
        }
    };
}
statistic!(crate::target_group::Progress, TargetGroupStatisticsProgress);
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
    let body = draft_body(super::DRAFT_NAMES, Write::Create, settings, rest);
    let body = from_json_parts("draft", (super::DRAFT_NAMES.profiles, "audience"), body)?;
    let answer = super::create_target_group(raw, account, project.as_str(), &body).await?;
    Error::required_in(answer, &operations::CREATE_TARGET_GROUP, "id", |made| made.id).map(TargetGroupId::new)
}

impl GroupsWire for super::Marker {
    const GROUP_REFERENCE: bool = super::HAS_GROUP_REFERENCE;
    const LIVE_URL_AT_ONCE: bool = super::WANTS_LIVE_URL;

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let audience = Self::audience(raw, account, draft).await?;
        let mut rest = entry_parts(draft);
        rest.push((super::DRAFT_NAMES.profiles, audience));
        create(raw, account, project, &draft.settings, rest).await
    }

    async fn draft(raw: &Client, account: i64, project: &ProjectId, group: &TargetGroupId) -> Result<Draft, Error> {
        let answer = raw.get_target_group(account, project.as_str(), group.as_str()).await?.into_value();
        Ok(Draft {
            kept: KeptDraft(to_json(&answer)?),
            human_readable_id: answer.human_readable_id.as_ref().map(ToString::to_string),
            created_at: answer.created_at.as_deref().and_then(moment),
            pricing_model: answer.pricing_model.as_ref().map(|model| PricingModel::parse(model.as_str())),
            test_survey_link: answer.links.as_ref().and_then(|links| links.test_client_survey.clone()),
            settings: read(&operations::GET_TARGET_GROUP, answer)?,
        })
    }

    fn unread(kept: &KeptDraft, before: &DraftSettings, after: &DraftSettings) -> Vec<FieldError> {
        unread(super::DRAFT_NAMES, kept, before, after)
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
        let mut rest = kept_parts(super::DRAFT_NAMES, kept);
        // What stands later wins.
        rest.extend(audience.map(|audience| (super::DRAFT_NAMES.profiles, audience)));
        let body = draft_body(super::DRAFT_NAMES, Write::Replace, settings, rest);
        let body = from_json_parts("draft", (super::DRAFT_NAMES.profiles, "audience"), body)?;
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
        create(raw, account, project, settings, kept_parts(super::DRAFT_NAMES, kept)).await
    }

    async fn list_target_groups(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        filter: &TargetGroupFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<TargetGroupSummary>, Error> {
        fn some<T: ToString>(values: &[T]) -> Option<Vec<String>> {
            (!values.is_empty()).then(|| values.iter().map(ToString::to_string).collect())
        }
        let status: Vec<_> = filter.status.iter().map(|status| status.as_str().into()).collect();
        let project = project.as_str();
        page!(
            ask => raw.get_list_target_groups_with(account, project),
            GET_LIST_TARGET_GROUPS, GetListTargetGroupsParams {
                exclusion_status: filter.excluding,
                name: filter.name.clone(),
                search_string: filter.search.clone(),
                human_readable_ids: some(&filter.human_readable_ids),
                status: (!status.is_empty()).then_some(status),
                country: some(&filter.countries),
                language: some(&filter.languages),
                ..super::target_group_filter(filter)
            }, target_groups, has_more
        )
    }

    async fn details(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<TargetGroupDetails, Error> {
        let operation = &operations::GET_TARGET_GROUP_DETAILS;
        let answer = raw.get_target_group_details(account, project.as_str(), group.as_str()).await?.into_value();
        let completes_goal = super::launched_goal(&answer);
        let has_note = super::has_cost_note(&answer);
        let links = answer.links.clone().unwrap_or_default();
        let missing = |Missing(field)| Error::incomplete(operation, field);
        let mut settings: LaunchedSettings = read(operation, answer.clone())?;
        settings.has_unread_note = has_note && settings.cost_note.is_none();
        Ok(TargetGroupDetails {
            settings,
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
            completes_goal,
        })
    }

    async fn set_details(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &LaunchedSettings,
    ) -> Result<(), Error> {
        let body = super::changed_details(settings);
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
        let missing = |_| Error::incomplete(&operations::UPDATE_COST_PER_INTERVIEW, "target_group_cpi");
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
        let missing = |_| Error::incomplete(&operations::UPDATE_FILLING_STRATEGY, "filling_strategy");
        required("filling_strategy", answer.filling_strategy).map_err(missing)
    }

    async fn business_units(raw: &Client, account: i64) -> Result<Vec<BusinessUnit>, Error> {
        let answer = raw.get_business_units(account).await?.into_value();
        list(&operations::GET_BUSINESS_UNITS, answer.business_units)
    }
}
