#!/usr/bin/env bash
# A project: created once however often it is sent, found again, renamed.
. "$(dirname "$0")/lib.sh"
log_in

create_project spring-1
first=$PROJECT
create_project spring-1
[ "$PROJECT" = "$first" ]
say "one project: ${PROJECT##*/}"

call GET "$DEMAND/projects?name=garden"
expect 200
[ "$(text id)" = "${PROJECT##*/}" ]

call GET "$PROJECT"
expect 200
etag=$(header etag)
renamed='{ "name": "Garden tools, second wave", "project_manager_id": "'"$MANAGER"'",
           "project_customer_reference_number": "PO-4711" }'
json PUT "$PROJECT" "$renamed" --header "If-Match: $etag" --header 'Idempotency-Key: rename-1'
expect 200
# Someone who has not seen the change is told so.
json PUT "$PROJECT" "$renamed" --header "If-Match: $etag" --header 'Idempotency-Key: rename-2'
expect 412
call GET "$PROJECT"
[ "$(text project_customer_reference_number)" = PO-4711 ]
say done
