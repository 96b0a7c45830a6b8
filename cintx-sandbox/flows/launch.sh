#!/usr/bin/env bash
# From draft to live, and the actions on a fielding run: each carries the ETag
# that the one before gave.
. "$(dirname "$0")/lib.sh"
log_in
create_project launch-1
create_draft 100 "$(bands)"

jobs=$GROUP/fielding-run-jobs/launch-from-draft
launch launch-key-1
say "live: ${RUN##*/}"

# Another key is another job, but a group is launched only once: it fails.
json POST "$jobs" '{ "end_fielding_at": "'"$(hours 130)"'" }' --header 'Idempotency-Key: launch-key-2'
expect 201
job=$(header location)
until_text status Failed "$jobs/${job##*/}"
say "a second launch: $(text code)"

# The draft's place points to another one, of another form.
call GET "$GROUP"
expect 301
[ "$(header location)" = "/v1$GROUP/details" ]

call GET "$RUN"
expect 200
etag=$(header etag)
call POST "$RUN/pause" --header "If-Match: $etag" --header 'Content-Length: 0'
expect 204
call POST "$RUN/resume" --header "If-Match: $etag" --header 'Content-Length: 0'
expect 412
call GET "$RUN"
etag=$(header etag)
call POST "$RUN/resume" --header "If-Match: $etag" --header 'Content-Length: 0'
expect 204
etag=$(header etag)
json PUT "$RUN" '{ "start_fielding_at": "'"$(hours -1)"'", "end_fielding_at": "'"$(hours 140)"'" }' --header "If-Match: $etag"
expect 202
etag=$(header etag)
call POST "$RUN/complete" --header "If-Match: $etag" --header 'Content-Length: 0'
expect 204
call GET "$RUN"
[ "$(text status)" = completed ]
say done
