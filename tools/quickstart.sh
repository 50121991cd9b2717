#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run the API and the gateway on this machine:
# tools/quickstart.sh [--port N] [--gateway-port N] [--state-dir DIR]
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
. "$root/tools/environment.sh"

# Before the installation, which takes a minute.
declare -A ports=([--port]=9890 [--gateway-port]=6080)
for ((at = 1; at <= $#; at++)); do
    case ${!at} in
        --port | --gateway-port) next=$((at + 1)) ports[${!at}]=${!next:-} ;;
        --port=* | --gateway-port=*) ports[${!at%%=*}]=${!at#*=} ;;
    esac
done
for option in --port --gateway-port; do
    port=${ports[$option]}
    if [[ $port =~ ^[0-9]{1,5}$ ]] &&
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        die "port $port of 127.0.0.1 is in use. Choose another one with" \
            "$option."
    fi
done

folder=$root/.venv/quickstart
ensure_environment "$folder" \
    "$(cd "$root" && stamp_of setup.cfg requirements.txt constraints.txt)" \
    --constraint "$root/constraints.txt" --editable "${root}[quickstart]"

"$folder/bin/python" "$root/tools/fetch_modules.py" ||
    say "Without these modules, the page shows no consoles in the browser."

# A --state-dir of the user comes later and wins.
exec "$folder/bin/console-api-quickstart" --state-dir "$root/state" "$@"
