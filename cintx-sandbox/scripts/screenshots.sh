#!/usr/bin/env bash
# Takes pictures of the page in headless Chromium: empty, running, many groups,
# phone, dark. Usage: scripts/screenshots.sh FOLDER
# With AXE naming a folder that axe-core and playwright-core are installed in,
# axe.mjs reads the page each time as well.
set -euo pipefail

folder=${1:?the folder for the pictures}
mkdir -p "$folder"
program=${CINTX_SANDBOX:-cargo run --quiet --package cintx-sandbox --}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
here=$(cd "$(dirname "$0")/.." && pwd)
port=${PORT:-8197}
work=$(mktemp -d)
sandbox=
trap '[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null; rm -rf "$work"' EXIT

start() {
    [ -z "$sandbox" ] || { kill "$sandbox" && wait "$sandbox" || true; }
    $program --port "$port" "$@" >"$work/out" 2>&1 &
    sandbox=$!
    for _ in $(seq 600); do
        curl --silent --fail "http://127.0.0.1:$port/control/about" >/dev/null && return
        sleep 0.1
    done
    cat "$work/out" >&2
    return 1
}

# The name of the picture, the size, further options of the browser.
picture() {
    local name=$1 size=$2
    shift 2
    "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size="$size" --virtual-time-budget=3000 --screenshot="$folder/$name.png" "$@" \
        "http://127.0.0.1:$port/?once=1" >/dev/null 2>&1
    test -s "$folder/$name.png"
    echo "$folder/$name.png"
    if [ -n "${AXE:-}" ]; then
        local scheme=light
        [ "$name" != dark ] || scheme=dark
        CHROMIUM=$browser node "$here/scripts/axe.mjs" "$AXE" "http://127.0.0.1:$port/" "${size%,*}" "$scheme"
    fi
}

# A seed file with so many target groups.
many() {
    for project in $(seq 20); do
        printf '[[project]]\nname = "Tracker %02d"\n' "$project"
        for group in $(seq $(($1 / 20))); do
            printf '[[project.target_group]]\nname = "Wave %02d.%02d"\nlocale = "eng_gb"\ngoal = %d\n' \
                "$project" "$group" $((100 + 40 * group))
            printf 'business_unit = 3849\nprice = "2.%d0"\nincidence = 0.6\ndays_in_field = %d\n' \
                $((group % 10)) $((1 + group % 3))
        done
    done
}

start --speed 1
picture empty 1400,1100
start --scenario lifelike --seed-file "$here/seeds/example.toml" --speed 60
token=$(curl --silent "http://127.0.0.1:$port/oauth/token" -H 'content-type: application/json' -d '{"client_id":"harbour-client","client_secret":"harbour-secret","grant_type":"client_credentials","audience":"https://api.luc.id"}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
ask() {
    curl --silent --output /dev/null -H "authorization: Bearer $token" -H 'cint-api-version: 2025-12-18' "$@"
}
ask "http://127.0.0.1:$port/v1/accounts"
ask "http://127.0.0.1:$port/v1/demand/accounts/2428/projects"
ask -X POST -H 'content-type: application/json' -d '{"name":"abc"}' "http://127.0.0.1:$port/v1/demand/accounts/2428/projects"
ask -X POST -H 'content-type: application/json' -d '{"url":"http://127.0.0.1:9/hook","events":["session-updated"]}' "http://127.0.0.1:$port/v1/accounts/2428/webhooks"
sleep 2
picture running 1400,1900
picture dark 1400,1900 --force-dark-mode --blink-settings=preferredColorScheme=0
picture phone 400,2400
many 200 >"$work/many.toml"
start --scenario lifelike --seed-file "$work/many.toml" --speed 60
picture many 1400,1900
