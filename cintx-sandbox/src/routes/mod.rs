//! What each operation does. One module per area; an operation that none of
//! them knows is answered with made-up data of the declared shape.

mod accounts;
mod assistant;
mod changelog;
mod fallback;
mod feasibility;
mod fielding;
mod interlock;
mod jobs;
mod profiles;
mod projects;
mod reconciliations;
mod s2s;
mod supply;
mod target_groups;
mod webhooks;

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::state::World;

/// What a route comes to.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// Does what an operation says.
pub(crate) fn serve(world: &mut World, call: &Call<'_>) -> Outcome {
    match call.operation.id() {
        "get_user_accounts" => accounts::accounts(world),
        "get_account_users" => accounts::users(world),
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

        _ => fallback::answer(world, call),
    }
}
