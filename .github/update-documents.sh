#!/usr/bin/env bash
# Fetches the document of every version that is imported; of each that has changed, writes the difference into the file
# that is named and takes it in. What cannot be taken in stays as it was, and the file says why.
set -euo pipefail
cd "$(dirname "$0")/.."
report=$1
: "${CINTX_DOCUMENTS_CACHE:?names the folder for the documents}"
echo "What Cint changed in documents that are imported. Effects are those on users of \`cintx-raw\`." > "$report"
for document in openapi/????-??-??.json; do
    date=$(basename "$document" .json)
    cargo xtask fetch "$date"
    downloaded="$CINTX_DOCUMENTS_CACHE/$date.yaml"
    status=0
    difference=$(cargo xtask diff "$date" "$downloaded" --format md) || status=$?
    # 0 and 1 are answers, 2 is a failure.
    [ "$status" -le 1 ]
    printf '\n# %s\n\n%s\n' "$date" "$difference" >> "$report"
    cp CHANGELOG.md "$report.changelog"
    cargo xtask changelog "$date" "$downloaded"
    if ! problem=$(cargo xtask import "$downloaded" 2>&1); then
        cp "$report.changelog" CHANGELOG.md
        printf '\nNot imported:\n\n```text\n%s\n```\n' "$problem" >> "$report"
    fi
done
cargo xtask regen || echo "regen has left something to do: see CONTRIBUTING, a dated document that changed in place" >> "$report"
