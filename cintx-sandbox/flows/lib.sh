# What the flows share: calls with curl, and the few steps that every study
# begins with. Source it; SANDBOX is the sandbox's address, such as
# http://127.0.0.1:8099, VERSION a dated version. API is where calls go instead,
# such as a proxy. CINTX_SANDBOX_CONTROL_TOKEN is needed for a sandbox on another
# machine or in a container.

set -eu
: "${SANDBOX:?the address of a running sandbox, such as http://127.0.0.1:8099}"
VERSION=${VERSION:-2025-12-18}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

say() { printf '%s\n' "$*"; }

# send METHOD URL [CURL OPTIONS]: one request; the answer goes to STATUS,
# $WORK/head and $WORK/body.
send() {
  local method=$1 url=$2
  shift 2
  STATUS=$(curl --silent --show-error --request "$method" --output "$WORK/body" --dump-header "$WORK/head" \
    --write-out '%{http_code}' "$@" "$url")
}

# control METHOD PATH [CURL OPTIONS]: one request to the control endpoint.
control() {
  local method=$1 path=$2
  shift 2
  send "$method" "$SANDBOX/control/$path" \
    ${CINTX_SANDBOX_CONTROL_TOKEN:+--header "Authorization: Bearer $CINTX_SANDBOX_CONTROL_TOKEN"} "$@"
}

# call METHOD PATH [CURL OPTIONS]: one request to the Demand API.
call() {
  local method=$1 path=$2
  shift 2
  : > "$WORK/body"
  send "$method" "${API:-$SANDBOX/v1}$path" --header "Authorization: Bearer $TOKEN" --header "Cint-API-Version: $VERSION" "$@"
}

# json METHOD PATH BODY [CURL OPTIONS]: the same with a JSON body.
json() {
  local method=$1 path=$2 body=$3
  shift 3
  call "$method" "$path" --header 'Content-Type: application/json' --data "$body" "$@"
}

expect() {
  if [ "$STATUS" != "$1" ]; then
    say "expected $1, got $STATUS: $(cat "$WORK/body")" >&2
    exit 1
  fi
}

# text NAME, number NAME: the first such property of the last answer.
text() { grep -o "\"$1\":\"[^\"]*\"" "$WORK/body" | head -n 1 | cut -d '"' -f 4; }
number() { grep -o "\"$1\":[0-9.]*" "$WORK/body" | head -n 1 | cut -d ':' -f 2; }
header() { grep -i "^$1:" "$WORK/head" | head -n 1 | cut -d ' ' -f 2- | tr -d '\r'; }

# until_text NAME VALUE PATH: reads a path until a property has a value.
until_text() {
  local tries=0
  while :; do
    call GET "$3"
    expect 200
    [ "$(text "$1")" = "$2" ] && return
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { say "$3 never said $1=$2: $(cat "$WORK/body")" >&2; exit 1; }
    sleep 0.1
  done
}

# A moment so many hours from now.
hours() { date -u -d "+$1 hours" +%Y-%m-%dT%H:%M:%S.000Z 2>/dev/null || date -u -v "+$1H" +%Y-%m-%dT%H:%M:%S.000Z; }

# log_in: credentials from the sandbox, a token for them.
log_in() {
  control GET about
  expect 200
  ACCOUNT=$(number account_id) MANAGER=$(text project_manager_id) UNIT=$(number business_unit_id)
  S2S_KEY=$(text s2s_key)
  local id secret
  id=$(text client_id) secret=$(text client_secret)
  send POST "$SANDBOX/oauth/token" --header 'Content-Type: application/json' --data '{
    "client_id": "'"$id"'", "client_secret": "'"$secret"'", "grant_type": "client_credentials",
    "audience": "https://api.luc.id", "auth_scopes": "app:api" }'
  expect 200
  TOKEN=$(text access_token)
  DEMAND=/demand/accounts/$ACCOUNT
}

# create_project KEY: a project; its path in PROJECT.
create_project() {
  json POST "$DEMAND/projects" '{ "name": "Garden tools, spring wave", "project_manager_id": "'"$MANAGER"'" }' \
    --header "Idempotency-Key: $1"
  expect 202
  PROJECT=$DEMAND/projects/$(text id)
}

# Two age bands, in percent.
bands() {
  printf '%s' '{ "object": "regular", "quotas_enabled": true, "targets": [
    { "conditions": [{ "object": "range", "question_id": 42, "min": 25, "max": 49 }],
      "quota": { "completes_goal_percentage": 60 } },
    { "conditions": [{ "object": "range", "question_id": 42, "min": 50, "max": 80 }],
      "quota": { "completes_goal_percentage": 40 } } ] }'
}

# draft_body GOAL PROFILES: a draft with these profiles, for the test supplier.
draft_body() {
  printf '%s' '{
    "name": "Gardeners in Britain", "business_unit_id": "'"$UNIT"'", "project_manager_id": "'"$MANAGER"'",
    "locale": "eng_gb", "collects_pii": false, "completes_goal": '"$1"',
    "fielding_specification": { "start_at": "'"$(hours 2)"'", "end_at": "'"$(hours 96)"'" },
    "expected_length_of_interview_minutes": 8, "expected_incidence_rate": 0.4,
    "cost_per_interview": { "value": "3.15", "currency_code": "USD" },
    "live_url": "https://survey.example/garden?rid=[%RID%]",
    "test_url": "https://survey.example/garden?rid=[%RID%]&test=1",
    "fielding_assistant_assignment": {},
    "allocations": { "open_exchange_allocations": {
      "blocked_supplier_ids": [], "exchange_min_percentage": 0, "exchange_max_percentage": 0,
      "groups": [{ "group_name": "Test supplier only", "min_percentage": 0, "max_percentage": 100,
                   "suppliers": ["980"] }] } },
    "profiling": { "profile_adjustment_type": "percentage", "profiles": ['"$2"'] } }'
}

# create_draft GOAL PROFILES: a draft; its path in GROUP.
create_draft() {
  json POST "$PROJECT/target-groups" "$(draft_body "$1" "$2")"
  expect 201
  GROUP=$PROJECT/target-groups/$(text id)
}

# launch KEY: launches GROUP and waits; the run's path in RUN.
launch() {
  local jobs=$GROUP/fielding-run-jobs/launch-from-draft job
  json POST "$jobs" '{ "end_fielding_at": "'"$(hours 120)"'" }' --header "Idempotency-Key: $1"
  expect 201
  # The address is not one to read: its last part is the job's id.
  job=$(header location)
  until_text status Completed "$jobs/${job##*/}"
  RUN=$GROUP/fielding-runs/$(text created_fielding_run_id)
}
