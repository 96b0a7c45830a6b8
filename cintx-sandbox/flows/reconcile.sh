#!/usr/bin/env bash
# After the field: which completes were none, and what became of the list.
. "$(dirname "$0")/lib.sh"
log_in
create_project reconcile-1
create_draft 100 "$(bands)"
launch reconcile-launch-1

control GET state
rid=$(tr '{' '\n' < "$WORK/body" | grep '"status":5' | grep -o '"rid":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
[ -n "$rid" ]

call GET "$DEMAND/reconciliations/reason-codes"
expect 200
printf '%s,933\nFFFFFFFF-0000-4000-8000-000000000000,26\n' "$rid" > "$WORK/list.csv"
call POST "$DEMAND/reconciliations?name=spring.csv" --header 'Content-Type: text/csv' \
  --header 'Idempotency-Key: 5f0c1f6e-0b0a-4c53-9d6e-3f3a5a1c7d21' --data-binary "@$WORK/list.csv"
expect 202
request=$(text request_id)
until_text status complete "$DEMAND/reconciliations/$request"
[ "$(number negative_reversed_count)" = 1 ]
[ "$(number invalid_count)" = 1 ]
call GET "$DEMAND/reconciliations/$request/downloads/invalid-rids"
expect 200
say "not known: $(head -n 1 "$WORK/body")"
say done
