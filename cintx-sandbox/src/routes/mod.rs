//! What each operation does. One module per area; an operation that none of
//! them knows is answered with made-up data of the declared shape.

mod accounts;
mod allocation_templates;
mod assistant;
mod changelog;
mod definitions;
mod distribution;
mod exclusions;
mod fallback;
mod feasibility;
mod fielding;
pub(crate) mod forward;
mod interlock;
mod jobs;
mod pricing;
mod profile_templates;
mod profiles;
mod projects;
mod questions;
mod reconciliations;
mod reports;
mod s2s;
mod statistics;
mod supply;
mod target_groups;
mod unique_codes;
mod uploads;
mod webhooks;

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::state::World;
use crate::state::file_job::List;

/// What a route comes to.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// Does what an operation says, where the version may.
pub(crate) fn serve(world: &mut World, call: &Call<'_>) -> Outcome {
    let answer = forward::within(world, call, dispatch)?;
    if call.operation.method() != "GET" {
        world.reweigh_group(call.at("target_group_id"));
    }
    Ok(answer)
}

fn dispatch(world: &mut World, call: &Call<'_>) -> Outcome {
    match call.operation.id() {
        "get_user_accounts" => accounts::accounts(world),
        "get_account_users" => accounts::users(world),
        "get_account_service_clients" => accounts::service_clients(world),
        "get_clients" => accounts::clients(world, call),
        "get_business_units" => accounts::business_units(world),
        "get_user_account_business_unit_id" => accounts::business_unit_of_user(world, call),

        "create_project" => projects::create(world, call),
        "list_account_projects" => projects::list(world, call),
        "get_project_by_id" => projects::get(world, call),
        "update_project" => projects::update(world, call),
        "project_overview" => projects::overview(world, call),

        "create_target_group" => target_groups::create(world, call),
        "get_target_group" => target_groups::draft(world, call),
        "update_target_group" => target_groups::update_draft(world, call),
        "get_target_group_details" => target_groups::details(world, call),
        "update_launched_target_group_details" => target_groups::update_details(world, call),
        "get_target_group_overview" => target_groups::overview(world, call),
        "get_target_group_overview_by_target_group_id" => target_groups::overview_alone(world, call),
        "get_list_target_groups" => target_groups::list(world, call),
        "update_cost_per_interview" => target_groups::update_price(world, call),
        "update_filling_strategy" => target_groups::update_strategy(world, call),

        "get_target_group_changelog" => changelog::list(world, call),

        "get_fielding_assistant_assignment" => assistant::get(world, call),
        "create_or_update_fielding_assistant_assignment" => assistant::set(world, call),

        "get_target_group_allocation_specification" => supply::specification(world, call),
        "update_target_group_allocation_specification" => supply::specify(world, call),
        "get_target_group_supply_allocation" => supply::list(world, call),
        "create_target_group_supply_allocation" => supply::add(world, call),
        "update_target_group_supply_allocation" => supply::change(world, call),
        "delete_target_group_supply_allocation" => supply::clear(world, call),

        "calculate_target_group_feasibility" => feasibility::before(world, call),
        "calculate_target_group_feasibility_by_id" => feasibility::of_group(world, call),

        "generate_draft_interlock_profile" | "generate_draft_interlock_profile_v2" => {
            interlock::generate_legacy(world, call)
        }
        "generate_blended_profile" => interlock::generate_blended(world, call),
        "validate_profiles" => interlock::validate(world, call),
        "validate-profiles" => interlock::validate_legacy(world, call),

        "list_profiles" | "get-profiles" | "get-profiles-all" => profiles::list(world, call),
        "get_profile" | "get-profile" => profiles::get(world, call),
        "get_panel_distribution_by_profile" | "get_v2_panel_distribution_by_profile" => {
            profiles::distribution(world, call)
        }
        "get_target_group_quota_distribution" | "get-target-group-quota-distribution" => {
            profiles::quota_distribution(world, call)
        }
        "manage_target_group_profiles" => profiles::manage(world, call),
        "apply_profiles" | "apply-profiles" => profiles::apply(world, call),
        "create_profile" | "create-profile" => profiles::create(world, call),
        "update_profile_conditions" | "update-profile-conditions" => profiles::update_conditions(world, call),
        "enable_quotas" | "enable-quotas" => profiles::enable_quotas(world, call, true),
        "disable_quotas" | "disable-quotas-v2" => profiles::enable_quotas(world, call, false),
        "manipulate_profile_condition_groups" | "group-quotas" => profiles::group_quotas(world, call),
        "update_profile_filling_goal" | "bulk-update-quotas" => profiles::update_goals(world, call),
        "delete_profile" => profiles::delete(world, call),
        "batch_delete_profiles" | "batch-delete-profiles" => profiles::delete_several(world, call),
        "batch_delete_profiles_quotas" | "batch-delete-profile-quotas" => profiles::delete_quotas(world, call),
        "create-interlocked-profile" => profiles::interlock(world, call),
        "remove-interlocks" => profiles::remove_interlock(world, call),

        "create_launch_fielding_run_from_draft_job" => jobs::launch(world, call),
        "create_schedule_fielding_run_from_draft_job" => jobs::schedule(world, call),
        "get_launch_fielding_run_from_draft_job" => jobs::fielding_job(world, call, "launch-from-draft"),
        "get_schedule_fielding_run_from_draft_job" => jobs::fielding_job(world, call, "schedule-from-draft"),
        id if jobs::bulk_action(id).is_some() => jobs::bulk(world, call),
        id if jobs::bulk_status(id) => jobs::bulk_job(world, call),
        "create_bulk_update_target_group_project_manager_job" => jobs::managers(world, call),

        "get_fielding_runs_by_target_group_id" => fielding::list(world, call),
        "get_fielding_run" => fielding::get(world, call),
        "update_fielding_run" => fielding::update(world, call),
        "pause_fielding_run" => fielding::act(world, call),
        "resume_fielding_run" => fielding::act(world, call),
        "complete_fielding_run" => fielding::act(world, call),
        "relaunch_fielding_run" => fielding::act(world, call),
        "launch_now_fielding_run" => fielding::act(world, call),
        "compute_target_group_transitions" => fielding::transitions(world, call),

        "post_reconciliations" => reconciliations::submit(world, call),
        "post_reconciliations_completes" => reconciliations::submit_completes(world, call),
        "get_reconciliations_by_account_id" => reconciliations::list(world, call),
        "get_reconciliation_by_request_id" => reconciliations::get(world, call),
        "get_target_groups_by_request_id" => reconciliations::target_groups(world, call),
        "get_target_group_by_request_id_and_target_group_id" => reconciliations::target_group(world, call),
        "request_reconciliation_reason_codes" => reconciliations::reason_codes(),
        "get_eligible_target_groups" => reconciliations::eligible(world, call),
        "get_recon_downloads" => reconciliations::download(world, call),

        "create_webhook" => webhooks::create(world, call),
        "get_webhooks" => webhooks::list(world, call),
        "get_webhook" => webhooks::get(world, call),
        "update_webhook" => webhooks::update(world, call),
        "delete_webhook" => webhooks::delete(world, call),
        "regenerate_webhook_secret" => webhooks::renew(world, call),
        "get_webhook_events" => webhooks::events_known(call),
        "list_webhook_events_history" => webhooks::history(world, call),

        "get_respondent_status" => s2s::respondent(world, call),
        "update_respondent_status" => s2s::transition(world, call),

        "get_countries" => definitions::countries(),
        "get_locales" => definitions::locales(),
        "get_suppliers" => definitions::suppliers(),
        "get_industries" => definitions::industries(),
        "get_industry_lockouts" => definitions::lockouts(),
        "get_study_types" => definitions::study_types(),
        "get_integration_use_cases" => definitions::use_cases(),

        "list_questions" => questions::list(world, call),
        "get_question_by_id" => questions::get(call),
        "list_all_question_categories" => questions::categories(),
        "account_questions_translation" if !call.version.is_legacy() => questions::translations(call),
        "account_questions_translation" | "get_questions_translation" => questions::translations_before(world, call),

        "get_rate_card" => pricing::rate_card(world, call),
        "get_target_group_rate_card" => pricing::group_rate_card(world, call),
        "get_target_group_price" => pricing::group_price(world, call),
        "generate_price_prediction" => pricing::prediction(world, call),
        "suggest_days" => pricing::suggest_days(call),
        "suggest_time_range" => pricing::suggest_range(world, call),
        "get_panel_distribution_draft" => distribution::of_draft(world, call),
        "get_panel_distribution" => distribution::of_conditions(world, call),

        "get_target_group_performance" => statistics::performance(world, call),
        "get_target_group_completes_aggregated_by_interval" => statistics::over_time(world, call),

        "generate_report" => reports::generate(world, call),
        "report_status" => reports::state(world, call),
        "report_requests" => reports::list(world, call),
        "download_report_v2" => reports::download(world, call),
        "download_report" => reports::download_by_name(world, call),
        "share_report" => reports::share(world, call),

        "list_account_allocation_templates" | "list_global_allocation_templates" => {
            allocation_templates::list(world, call)
        }
        "create_account_allocation_template" | "create_global_allocation_template" => {
            allocation_templates::create(world, call)
        }
        "get_account_allocation_template_by_template_id" | "get_global_allocation_template_by_template_id" => {
            allocation_templates::get(world, call)
        }
        "update_account_allocation_template" | "update_global_allocation_template" => {
            allocation_templates::update(world, call)
        }
        "delete_account_allocation_template" | "delete_global_allocation_template" => {
            allocation_templates::delete(world, call)
        }
        "get_account_allocation_template_association" => allocation_templates::association(world, call),
        "set_account_allocation_template_association" => allocation_templates::associate(world, call),
        "get_system_allocation_template" => allocation_templates::system(),
        "get_system_allocation_template_by_business_unit_id" => allocation_templates::system_of_unit(world, call),
        "get_account_allocation_template_for_business_unit_id"
        | "get_global_allocation_template_by_id_for_business_unit_id" => allocation_templates::of_unit(world, call),

        "list_profile_templates" => profile_templates::list(world, call),
        "create_profile_template" => profile_templates::create(world, call),
        "get_profile_template" => profile_templates::get(world, call),
        "edit_profile_template" => profile_templates::update(world, call),
        "delete_profile_template" => profile_templates::delete(world, call),

        "create_exclusion_group" => exclusions::create(world, call),
        "get_exclusion_groups_by_account_id" => exclusions::list(world, call),
        "get_exclusion_group_by_id" => exclusions::get(world, call),
        "update_exclusion_group_by_id" => exclusions::update(world, call),
        "delete_exclusion_group_by_id" => exclusions::delete(world, call),
        "get_exclusion_group_target_group_exclusions" => exclusions::members(world, call),
        "add_target_groups_to_exclusion_group" => exclusions::add(world, call),
        "remove_target_groups_from_exclusion_group" => exclusions::remove(world, call),
        "get_exclusion_groups_for_target_group" => exclusions::of_target_group(world, call),
        "get_exclusion_by_project_api" => exclusions::policies(world, call),
        "update_bulk_target_group_exclusions_api" => exclusions::set_policies(world, call),
        "get_target_group_exclusion_policy_api" => exclusions::policy(world, call),
        "get_target_group_respondent_activity_exclusions" => exclusions::activity(world, call),
        "set_target_group_respondent_activity_exclusions" => exclusions::set_activity(world, call),
        "get_target_group_rid_exclusion_list_api" => exclusions::rids(world, call),
        "upsert_target_group_rid_exclusion_list_api" => exclusions::upsert(world, call, List::ExcludedRsids),
        "get_target_group_cid_exclusion_list_api" => exclusions::cids(world, call),
        "upsert_target_group_cid_exclusion_list_api" => exclusions::upsert(world, call, List::ExcludedCids),

        "exclusion_create_upload_rids_by_file_job"
        | "recontact_create_upload_respondents_by_file_job"
        | "recontact_create_upload_rsids_by_file_job" => uploads::upload(world, call),
        "exclusion_create_remove_all_respondents_job" | "create_all_recontact_rsids_removal_job" => {
            uploads::clear(world, call)
        }
        "get_respondent_exclusions_upload_by_file_job"
        | "get_all_respondent_exclusions_removal_job"
        | "recontacts_remove_all_rsids_job_status"
        | "get_recontact_upload_respondents_by_file_job"
        | "get_recontacts_rsids_upload_file_job_status" => uploads::job(world, call),
        "recontact_list_upload_respondents_by_file_jobs" => uploads::jobs(world, call),
        "recontact_download_job_file" => uploads::download(world, call),
        "get_exclusions_overview" | "get_recontacts_overview" => uploads::overview(world, call),
        "get_target_group_rsid_exclusion_list_api_paginated" => {
            uploads::list(world, call, List::ExcludedRsids, 1_000, 1_000)
        }
        "get_target_group_access_respondent_guid_exclusion_list_api_paginated" => {
            uploads::list(world, call, List::ExcludedGuids, 1_000, 1_000)
        }
        "get_target_group_rsid_recontact_list" => uploads::list(world, call, List::Recontacts, 10, 100),

        "upload_live_respondent_unique_codes" | "upload_test_respondent_unique_codes" => {
            unique_codes::upload(world, call)
        }
        "get_live_respondent_unique_codes_stats" | "get_test_respondent_unique_codes_stats" => {
            unique_codes::stats(world, call)
        }
        "delete_unconsumed_live_respondent_unique_codes" | "delete_unconsumed_test_respondent_unique_codes" => {
            unique_codes::delete(world, call)
        }

        _ => fallback::answer(world, call),
    }
}
