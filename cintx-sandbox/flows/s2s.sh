#!/usr/bin/env bash
# A respondent, server to server: look before letting in, report the outcome,
# and only then send the respondent back.
. "$(dirname "$0")/lib.sh"
log_in
create_project s2s-1
create_draft 100 "$(bands)"
launch s2s-launch-1

# In the simulation, someone comes; in life, the survey link is opened.
control POST respondents --header 'Content-Type: application/json' \
  --data '{ "target_group_id": "'"${GROUP##*/}"'" }'
expect 201
rid=$(text rid)

# The key stands alone, and there is no version.
send GET "$SANDBOX/fulfillment/respondents/$rid" --header "Authorization: $S2S_KEY"
expect 200
[ "$(number status)" = 1 ]
[ "$(text href)" = "https://survey.example/garden?rid=$rid" ]

move() {
  send POST "$SANDBOX/fulfillment/respondents/transition" --header "Authorization: $S2S_KEY" \
    --header 'Content-Type: application/json' --data '{ "id": "'"$rid"'", "status": '"$1"' }'
}
move 5
expect 200
# Not twice: it is no longer in the survey.
move 5
expect 422
say "send the respondent to https://samplicio.us/s/ClientCallBack.aspx?RID=$rid"
say done
