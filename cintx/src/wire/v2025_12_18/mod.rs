//! 2025-12-18 on the wire: the areas that it has, and what it calls otherwise or takes elsewhere than others.

#[path = "../shared/assistant.rs"]
mod assistant;
mod audience;
#[path = "../shared/bulk.rs"]
mod bulk;
#[path = "../shared/calendar.rs"]
mod calendar;
#[path = "../shared/directory.rs"]
mod directory;
mod distribution;
#[path = "../shared/exclusion_policies.rs"]
mod exclusion_policies;
mod exclusions;
mod field_of_days;
#[path = "../shared/fielding.rs"]
mod fielding;
#[path = "../shared/group_rate_card.rs"]
mod group_rate_card;
mod library;
#[path = "../shared/money.rs"]
mod money;
mod names;
mod overview_by_id;
#[path = "../shared/performance.rs"]
mod performance;
mod prediction;
#[path = "../shared/price.rs"]
mod price;
#[path = "../shared/projects.rs"]
mod projects;
mod quotas;
#[path = "../shared/reconciliation.rs"]
mod reconciliation;
mod reconciliation_files;
#[path = "../shared/reconciliation_requests.rs"]
mod reconciliation_requests;
mod recontacts;
mod report_details;
#[path = "../shared/reports.rs"]
mod reports;
mod respondents;
#[path = "../shared/statistics.rs"]
mod statistics;
mod supply;
#[path = "../shared/supply_templates.rs"]
mod supply_templates;
#[path = "../shared/target_groups.rs"]
mod target_groups;
#[path = "../shared/templates.rs"]
mod templates;
mod unique_codes;
mod unit_supply_templates;
#[path = "../shared/version.rs"]
mod version;
mod webhook_history;
#[path = "../shared/webhooks.rs"]
mod webhooks;

use cintx_raw::v2025_12_18 as raw;

use self::names::*;
use super::templates::by_target as template_form;
use crate::V2025_12_18 as Marker;

impl crate::HasFilters for Marker {}
impl crate::quota::HasControlQuotas for Marker {}

/// The data of a rate card.
type RateCardData = raw::types::RateCardData;
