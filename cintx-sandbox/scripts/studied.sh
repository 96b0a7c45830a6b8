# A project with one live target group, made through the version in VERSION,
# for scripts that need ids that exist. Sourced, after SANDBOX is set.

. cintx-sandbox/flows/lib.sh
log_in
if [ "$VERSION" = 2025-12-18 ]; then
  create_project studied
  create_draft 100 "$(bands)"
else
  create_project studied
  case $VERSION in
    2024-12-02) price='{ "amount": "3.15", "code": "USD" }' ;;
    *) price='{ "value": "3.15", "currency_code": "USD" }' ;;
  esac
  json POST "$PROJECT/target-groups" '{
    "name": "Gardeners in Britain", "business_unit_id": "'"$UNIT"'", "project_manager_id": "'"$MANAGER"'",
    "locale": "eng_gb", "collects_pii": false, "filling_goal": 100,
    "fielding_specification": { "start_at": "'"$(hours 2)"'", "end_at": "'"$(hours 96)"'" },
    "expected_length_of_interview_minutes": 8, "expected_incidence_rate": 0.4, "cost_per_interview": '"$price"',
    "live_url": "https://survey.example/garden?rid=[%RID%]", "test_url": "https://survey.example/garden?rid=[%RID%]",
    "fielding_assistant_assignment": {},
    "profile": { "profile_adjustment_type": "percentage", "interlocked_profiles": [], "drafts": [
      { "question_id": 42, "quotas_enabled": true,
        "conditions": { "object": "range_conditions_details_template",
                        "data": [{ "min": 25, "max": 49 }, { "min": 50, "max": 80 }] },
        "quotas": { "grouped": [], "ungrouped": [
          { "index": 0, "quota_percentage": 60, "quota_nominal": 0 },
          { "index": 1, "quota_percentage": 40, "quota_nominal": 0 }] } }] } }'
  expect 201
  GROUP=$PROJECT/target-groups/$(text id)
fi
jobs=$GROUP/fielding-run-jobs/launch-from-draft
json POST "$jobs" '{ "end_fielding_at": "'"$(hours 120)"'" }' --header 'Idempotency-Key: studied-launch'
expect 201
job=$(header location)
until_text status Completed "$jobs/${job##*/}"
call GET "$GROUP/fielding-runs"
expect 200
RUN_ID=$(text id) PROJECT_ID=${PROJECT##*/} GROUP_ID=${GROUP##*/}
