#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Capture the screen of the quickstart's sample server through its console:
# tools/screen.sh [FILE [PORT]], with the port of the API.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
. "$root/tools/environment.sh"

file=${1:-screen.png}
case $file in
    *.png | *.jpg) ;;
    *) die "usage: tools/screen.sh [FILE.png [PORT]]" ;;
esac
api=127.0.0.1:${2:-9890}
consoles=http://$api/v2.1/servers/b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10/consoles

request() {
    curl -sS --fail -H 'X-Auth-Token: user:demo' "$@" ||
        die "the API at $api did not return a console. Run" \
            "tools/quickstart.sh in another terminal and wait for Ready. With" \
            "another port, run: tools/screen.sh FILE PORT"
}

# field NAME : print the first value of a property of the JSON on stdin.
field() {
    grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | grep -o '[^ "]*$'
}

request -X POST "$consoles"

viewer=$(command -v vncdo || true)
if [ -z "$viewer" ]; then
    ensure_environment "$root/.venv/viewer" \
        "$(cd "$root" && stamp_of constraints.txt)" \
        --constraint "$root/constraints.txt" vncdotool
    viewer=$root/.venv/viewer/bin/vncdo
fi

id=$(request "$consoles" | field id)
console=$(request "$consoles/$id")
host=$(field host <<<"$console")
port=$(field port <<<"$console")
password=$(field password <<<"$console")

# The console host opens the port of a new console within a second.
for _attempt in $(seq 100); do
    (: <"/dev/tcp/$host/$port") 2>/dev/null && break
    sleep 0.1
done
# Other users can read the arguments of a program, so vncdo is no option.
PYTHONWARNINGS=ignore "$(dirname "$viewer")/python3" - "$host::$port" "$file" \
    3<<<"$password" <<'CAPTURE'
import sys

from vncdotool import api

with open(3) as password:
    client = api.connect(sys.argv[1], password.read().strip(), timeout=60)
client.captureScreen(sys.argv[2])
client.disconnect()
api.shutdown()
CAPTURE
say "Saved the screen of the sample server as $file."
say "To see it in a VNC viewer: host $host, port $port, password $password"
