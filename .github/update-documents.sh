#!/usr/bin/env bash
# Fetches the document of every version that is imported; of each that has changed, writes the difference into the file
# that is named and takes it in. What cannot be fetched or taken in stays as it was, and the file says why: the workflow
# then shows it, and fails once the pull request is open.
set -euo pipefail
cd "$(dirname "$0")/.."
report=$1
: "${CINTX_DOCUMENTS_CACHE:?names the folder for the documents}"
failed=false
echo "What Cint changed in documents that are imported. Effects are those on users of \`cintx-raw\`." > "$report"

# Runs a command; if it fails, the report says what it was to do and what it said.
try() {
    local what=$1 said
    shift
    said=$("$@" 2>&1) && return
    printf '\n%s:\n\n```text\n%s\n```\n' "$what" "$said" >> "$report"
    failed=true
    return 1
}

for document in openapi/????-??-??.json; do
    date=$(basename "$document" .json)
    downloaded="$CINTX_DOCUMENTS_CACHE/$date.yaml"
    try "$date could not be fetched" cargo xtask fetch "$date" || continue
    status=0
    difference=$(cargo xtask diff "$date" "$downloaded" --as "$date" --format md 2>&1) || status=$?
    # 0 and 1 are answers, 2 is a failure: what it says is told all the same.
    printf '\n# %s\n\n%s\n' "$date" "$difference" >> "$report"
    if [ "$status" -gt 1 ]; then
        failed=true
        continue
    fi
    # The entry of the changelog comes with the import.
    try "Not imported" cargo xtask import "$downloaded" --as "$date" || true
done
try "regen has left something to do: see CONTRIBUTING, a dated document that changed in place" cargo xtask regen || true
older=""
for document in openapi/????-??-??.json; do
    date=$(basename "$document" .json)
    if [ -n "$older" ]; then
        try "The migration page from $older to $date was not written" cargo xtask migration "$older" "$date" || true
    fi
    older=$date
done
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$report" >> "$GITHUB_STEP_SUMMARY"; fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "failed=$failed" >> "$GITHUB_OUTPUT"; fi
