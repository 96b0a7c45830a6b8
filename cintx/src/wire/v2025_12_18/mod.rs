//! 2025-12-18 on the wire: the areas that it has, and what it names or places differently than other versions.

#[path = "../common/assistant.rs"]
mod assistant;
mod audience;
#[path = "../common/bulk.rs"]
mod bulk;
#[path = "../common/calendar.rs"]
mod calendar;
#[path = "../common/directory.rs"]
mod directory;
mod distribution;
#[path = "../common/exclusion_policies.rs"]
mod exclusion_policies;
mod exclusions;
mod field_of_days;
#[path = "../common/fielding.rs"]
mod fielding;
#[path = "../common/group_rate_card.rs"]
mod group_rate_card;
mod library;
#[path = "../common/money.rs"]
mod money;
mod names;
mod overview_by_id;
#[path = "../common/performance.rs"]
mod performance;
mod prediction;
#[path = "../common/price.rs"]
mod price;
#[path = "../common/projects.rs"]
mod projects;
mod quotas;
#[path = "../common/reconciliation.rs"]
mod reconciliation;
mod reconciliation_files;
#[path = "../common/reconciliation_requests.rs"]
mod reconciliation_requests;
mod recontacts;
mod report_details;
#[path = "../common/reports.rs"]
mod reports;
#[path = "../common/statistics.rs"]
mod statistics;
mod study;
mod supply;
#[path = "../common/supply_templates.rs"]
mod supply_templates;
#[path = "../common/target_groups.rs"]
mod target_groups;
#[path = "../common/templates.rs"]
mod templates;
mod unique_codes;
mod unit_supply_templates;
#[path = "../common/version.rs"]
mod version;
mod webhook_history;
#[path = "../common/webhooks.rs"]
mod webhooks;

use cintx_raw::v2025_12_18 as raw;

use self::names::*;
use super::templates::by_target as template_form;
use crate::V2025_12_18 as Marker;

impl crate::HasFilters for Marker {}
impl crate::quota::HasControlQuotas for Marker {}

/// The most rows that a list of respondents may have.
const MAX_RECONCILIATION_ROWS: usize = 100_000;

/// The data of a rate card.
type RateCardData = raw::types::RateCardData;
