#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run the API on this machine: tools/quickstart.sh [--port N] [--state-dir DIR]
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
. "$root/tools/environment.sh"

folder=$root/.venv/quickstart
ensure_environment "$folder" \
    "$(cd "$root" && stamp_of setup.cfg requirements.txt constraints.txt)" \
    --constraint "$root/constraints.txt" --editable "${root}[quickstart]"

# A --state-dir of the user comes later and wins.
exec "$folder/bin/console-api-quickstart" --state-dir "$root/state" "$@"
