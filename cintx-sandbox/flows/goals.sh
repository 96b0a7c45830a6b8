#!/usr/bin/env bash
# A launched group changes: its goal, the price, its profiles as a whole.
. "$(dirname "$0")/lib.sh"
log_in
create_project goals-1
create_draft 100 "$(bands)"
launch goals-launch-1

# The total alone: quotas follow in proportion.
json PUT "$GROUP/profiles/completes-goal" '{ "completes_goal": 250 }'
expect 200
[ "$(number completes_goal)" = 250 ]
# Less than has been collected is refused, with a reason.
json PUT "$GROUP/profiles/completes-goal" '{ "completes_goal": 1 }'
expect 422
grep -q total_completes_goal_cannot_be_less_than_collected "$WORK/body"

json PUT "$GROUP/cost-per-interview" '{ "target_group_cpi": { "value": "3.80", "currency_code": "USD" } }'
expect 200
json PUT "$GROUP/filling-strategy" '{ "filling_strategy": "completes" }'
expect 200
json POST "$GROUP/profiles/manage-profiles" '{ "completes_goal": 250,
  "profiling": { "profile_adjustment_type": "percentage", "profiles": ['"$(bands)"'] } }'
expect 201
call GET "$GROUP/changelog"
expect 200
say "changes written down: $(grep -o '_change"' "$WORK/body" | wc -l)"
say done
