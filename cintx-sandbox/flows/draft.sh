#!/usr/bin/env bash
# A draft target group: feasibility first, then the draft, then a better one.
. "$(dirname "$0")/lib.sh"
log_in
create_project draft-1

json POST "$DEMAND/target-groups/calculate-feasibility" '{
  "business_unit_id": '"$UNIT"', "locale": "eng_gb", "completes_goal": 150,
  "expected_incidence_rate": 0.4, "expected_length_of_interview_minutes": 8,
  "fielding_specification": { "start_at": "'"$(hours 2)"'", "end_at": "'"$(hours 96)"'" },
  "profiling": { "profile_adjustment_type": "percentage", "profiles": ['"$(bands)"'] } }'
expect 200
say "suggested price: $(text value)"

create_draft 150 "$(bands)"
call GET "$GROUP"
expect 200
[ "$(number completes_goal)" = 150 ]

# A draft is replaced as a whole.
json PUT "$GROUP" "$(draft_body 120 "$(bands)")"
expect 204
call GET "$GROUP"
[ "$(number completes_goal)" = 120 ]

# Details are for launched groups.
call GET "$GROUP/details"
expect 404
# Percentages that do not add up are named.
json POST "$DEMAND/profiles/validate" '{ "completes_goal": 100, "start_at": "'"$(hours 2)"'", "end_at": "'"$(hours 9)"'",
  "locale": "eng_gb", "collects_pii": false,
  "profiling": { "profile_adjustment_type": "percentage", "profiles": [{ "object": "regular", "quotas_enabled": true,
    "targets": [{ "conditions": [{ "object": "selection", "question_id": 43, "option": "1" }],
                  "quota": { "completes_goal_percentage": 70 } }] }] } }'
expect 422
text reason | grep -q incorrect_sum_of_percentage
say done
