#!/usr/bin/env bash
# Lets Schemathesis, a fuzzer that shares no code with this project, hold a
# running sandbox against the interface documents.
#
#   python3 -m venv /tmp/schemathesis && /tmp/schemathesis/bin/pip install schemathesis
#   PATH=/tmp/schemathesis/bin:$PATH cintx-sandbox/scripts/schemathesis.sh [DATE...]
#
# EXAMPLES says how many cases are made per operation (20), PORT where the
# sandbox listens (8098), SEED what the cases are drawn from (1). What is
# mended in the documents for it, and why, stands in relaxed.py.

set -eu
cd "$(dirname "$0")/../.."
PORT=${PORT:-8098} EXAMPLES=${EXAMPLES:-20} SEED=${SEED:-1}
command -v schemathesis > /dev/null || { echo 'schemathesis is not installed, see the head of this script' >&2; exit 2; }
[ "$#" -gt 0 ] || set -- 2024-12-02 2025-02-17 2025-12-18

if [ -z "${CINTX_SANDBOX:-}" ]; then
  cargo build --release --quiet -p cintx-sandbox
  TARGET=$(cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d '"' -f 4)
  CINTX_SANDBOX=$TARGET/release/cintx-sandbox
fi
# What is drawn from a document names places, questions and suppliers that
# nobody knows; that they are refused is not this script's concern. Numbers as
# text are, since the document does not allow them.
TOLERATED=unknown-locales,unknown-questions,unknown-options,unknown-suppliers,unknown-industries
TOLERATED=$TOLERATED,unknown-study-types,any-price,any-currency,past-starts,early-starts,links-without-rid
CONFIG=$(mktemp) RELAXED=$(mktemp)
failed=0

for date in "$@"; do
  "$CINTX_SANDBOX" --port "$PORT" --field-pace 0 --tolerate "$TOLERATED" > /dev/null &
  server=$!
  sleep 1

  # Things to ask for: without ids that exist, nearly all answers are 404.
  SANDBOX=http://127.0.0.1:$PORT VERSION=$date
  # shellcheck source=/dev/null
  . cintx-sandbox/scripts/studied.sh
  trap 'kill "$server" 2> /dev/null || true; rm -rf "$CONFIG" "$RELAXED" "$WORK"' EXIT

  cat > "$CONFIG" <<END
[parameters]
"path.account_id" = $ACCOUNT
"path.project_id" = "$PROJECT_ID"
"path.target_group_id" = "$GROUP_ID"
"path.fielding_run_id" = "$RUN_ID"
"path.business_unit_id" = "$UNIT"
"path.user_id" = "$MANAGER"
END
  checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
  checks=$checks,response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth
  common="--checks $checks --max-examples $EXAMPLES --seed $SEED --phases ${PHASES:-fuzzing}
    --continue-on-failure --workers 2 --suppress-health-check all --warnings off --no-color"
  python3 cintx-sandbox/scripts/relaxed.py "openapi/$date.json" > "$RELAXED"
  # shellcheck disable=SC2086
  schemathesis --config-file "$CONFIG" run "$RELAXED" --url "$SANDBOX/v1" --exclude-path-regex '^/fulfillment/' \
    --header "Authorization: Bearer $TOKEN" --header "Cint-API-Version: $date" $common || failed=1
  # The other host has its own key and no versions; only the newest document
  # knows it.
  grep -q '"/fulfillment/' "openapi/$date.json" || { kill "$server"; wait "$server" 2> /dev/null || true; continue; }
  # shellcheck disable=SC2086
  schemathesis run "$RELAXED" --url "$SANDBOX" --include-path-regex '^/fulfillment/' \
    --header "Authorization: $S2S_KEY" $common || failed=1
  kill "$server"
  wait "$server" 2> /dev/null || true
done
exit "$failed"
