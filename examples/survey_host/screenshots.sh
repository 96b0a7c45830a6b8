#!/usr/bin/env bash
# Takes pictures of the survey page in headless Chromium, wide and on a phone. With PLAYWRIGHT=MODULES the survey is
# answered there as well, see submit.mjs. Usage: examples/survey_host/screenshots.sh FOLDER
set -euo pipefail

folder=${1:?the folder for the pictures}
mkdir -p "$folder"
program=${SURVEY_HOST:-cargo run --quiet --package cintx-tests --example survey_host --}
if ! browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
    echo "no chromium, chromium-browser or google-chrome on the path" >&2
    exit 1
fi
work=$(mktemp -d)
$program --demo --stay >"$work/out" &
host=$!
trap 'kill "$host" 2>/dev/null || true; rm -rf "$work"' EXIT

# The first line is the link of a respondent.
for _ in $(seq 6000); do
    [ -s "$work/out" ] && break
    if ! kill -0 "$host" 2>/dev/null; then
        echo "the survey host has ended before it said where it is" >&2
        exit 1
    fi
    sleep 0.1
done
link=$(head -1 "$work/out")
test -n "$link"
for size in 900,800 390,844; do
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size="$size" --virtual-time-budget=3000 --screenshot="$folder/survey-${size%,*}.png" \
        "$link" >/dev/null 2>&1
    test -s "$folder/survey-${size%,*}.png"
    echo "$folder/survey-${size%,*}.png"
done
if [ -n "${PLAYWRIGHT:-}" ]; then
    CHROMIUM="$browser" node "$(dirname "$0")/submit.mjs" "$PLAYWRIGHT" "$link" "$folder/survey-answered.png"
fi
