#!/usr/bin/env bash
# Lets Prism, a proxy that knows the interface documents and shares no code with
# this project, stand between callers and a running sandbox: every request and
# every answer is held against the document.
#
#   npm install @stoplight/prism-cli
#   PATH=$PWD/node_modules/.bin:$PATH cintx-sandbox/scripts/prism.sh [DATE...]
#
# Every GET of each document is asked for with ids that exist, and the flows are
# run through the proxy where they speak the version: all but launch.sh, whose
# redirect Prism follows by itself, and s2s.sh, which speaks to another host.
# Ends with 1 if Prism finds a violation. What is mended in the documents for it,
# and why, stands in relaxed.py.

set -eu
cd "$(dirname "$0")/../.."
PORT=${PORT:-8096} PROXY=${PROXY:-8097}
command -v prism > /dev/null || { echo 'prism is not installed, see the head of this script' >&2; exit 2; }
[ "$#" -gt 0 ] || set -- 2024-12-02 2025-02-17 2025-12-18

if [ -z "${CINTX_SANDBOX:-}" ]; then
  cargo build --release --quiet -p cintx-sandbox
  TARGET=$(cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d '"' -f 4)
  CINTX_SANDBOX=$TARGET/release/cintx-sandbox
fi
server='' proxy='' failed=0 LOG=$(mktemp) RELAXED=$(mktemp)

for date in "$@"; do
  "$CINTX_SANDBOX" --port "$PORT" > /dev/null &
  server=$!
  python3 cintx-sandbox/scripts/relaxed.py "openapi/$date.json" > "$RELAXED"
  prism proxy "$RELAXED" "http://127.0.0.1:$PORT/v1" --port "$PROXY" > "$LOG" 2>&1 &
  proxy=$!
  until grep -q listening "$LOG"; do sleep 0.2; done

  export SANDBOX=http://127.0.0.1:$PORT API=http://127.0.0.1:$PROXY VERSION=$date
  # shellcheck source=/dev/null
  . cintx-sandbox/scripts/studied.sh
  trap 'kill $server $proxy 2> /dev/null || true; rm -rf "$LOG" "$LOG.flow" "$RELAXED" "$WORK"' EXIT
  export TOKEN ACCOUNT MANAGER UNIT PROJECT_ID GROUP_ID RUN_ID
  python3 cintx-sandbox/scripts/read_all.py "openapi/$date.json"
  if [ "$date" = 2025-12-18 ]; then
    for flow in create draft goals interlock reconcile; do
      cintx-sandbox/flows/$flow.sh > "$LOG.flow" 2>&1 || { failed=1; echo "$date: flow $flow"; cat "$LOG.flow"; }
    done
  fi
  # That a parameter is deprecated is a remark.
  if grep 'Violation:' "$LOG" | grep -v 'deprecated$' | sort | uniq -c; then failed=1; fi
  echo "$date: $(grep -c 'Request received' "$LOG") requests through the proxy"
  kill "$server" "$proxy"
  wait "$server" "$proxy" 2> /dev/null || true
done
exit "$failed"
