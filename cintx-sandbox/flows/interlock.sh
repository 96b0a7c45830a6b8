#!/usr/bin/env bash
# Interlocked quotas: the helper crosses age and gender, the draft takes the
# cells, and after launch each fills by itself.
. "$(dirname "$0")/lib.sh"
log_in
create_project interlock-1

gender='{ "object": "regular", "quotas_enabled": true, "targets": [
  { "conditions": [{ "object": "selection", "question_id": 43, "option": "1" }],
    "quota": { "completes_goal_percentage": 50 } },
  { "conditions": [{ "object": "selection", "question_id": 43, "option": "2" }],
    "quota": { "completes_goal_percentage": 50 } } ] }'
json POST "$DEMAND/drafts/generate-blended-profile" '{
  "locale": "eng_gb", "completes_goal": 200, "start_at": "'"$(hours 2)"'", "end_at": "'"$(hours 96)"'",
  "collects_pii": false,
  "profiling": { "profile_adjustment_type": "percentage", "profiles": ['"$(bands)"', '"$gender"'] } }'
expect 201
cells=$(grep -o '"completes_goal_percentage":' "$WORK/body" | wc -l)
say "cells: $cells"
[ "$cells" -eq 4 ]

cell() { printf '%s' '{ "name": "'"$1"'", "conditions": [
  { "object": "range", "question_id": 42, "min": '"$2"', "max": '"$3"' },
  { "object": "selection", "question_id": 43, "option": "'"$4"'" }],
  "quota": { "completes_goal_percentage": '"$5"' } }'; }
blend='{ "object": "blended", "name": "AGE x GENDER", "quotas_enabled": true, "targets": [
  '"$(cell 'younger men' 25 49 1 30)"', '"$(cell 'younger women' 25 49 2 30)"',
  '"$(cell 'older men' 50 80 1 20)"', '"$(cell 'older women' 50 80 2 20)"'] }'
create_draft 200 "$blend"
launch interlock-launch-1
call GET "$GROUP/profiles"
expect 200
[ "$(text blended_type)" = interlock ]
say "first cell: $(number completes_goal) of 200 asked of $(text text)"
say done
