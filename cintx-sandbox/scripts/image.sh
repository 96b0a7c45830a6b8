#!/usr/bin/env bash
# Builds the container image, waits until its health check says that it is well, and runs the Python client against it
# with the control token, as from another machine. Needs docker (or DOCKER=podman) and python3.
#
#   cintx-sandbox/scripts/image.sh

set -euo pipefail
cd "$(dirname "$0")/../.."
DOCKER=${DOCKER:-docker}
export CINTX_SANDBOX_CONTROL_TOKEN=${CINTX_SANDBOX_CONTROL_TOKEN:-image-test}

"$DOCKER" build --file cintx-sandbox/Dockerfile --tag cintx-sandbox .
container=$("$DOCKER" run --detach --rm --publish 127.0.0.1::8099 --env CINTX_SANDBOX_CONTROL_TOKEN cintx-sandbox)
trap '"$DOCKER" stop "$container" >/dev/null' EXIT
for _ in $(seq 60); do
  health=$("$DOCKER" inspect --format '{{.State.Health.Status}}' "$container")
  [ "$health" = healthy ] && break
  sleep 1
done
[ "$health" = healthy ] || { echo "the image is $health after a minute" >&2; exit 1; }
SANDBOX=http://$("$DOCKER" port "$container" 8099 | head -n 1) python3 cintx-sandbox/clients/study.py
