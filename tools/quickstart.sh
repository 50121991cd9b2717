#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run the API on this machine: tools/quickstart.sh [--port N] [--state-dir DIR]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tools/environment.sh"

folder=$root/.venv/quickstart
ensure_environment "$folder" \
    "$(cd "$root" && stamp_of setup.cfg requirements.txt constraints.txt)" \
    --constraint "$root/constraints.txt" --editable "$root[quickstart]"

# What the user says comes later, and so counts.
exec "$folder/bin/console-api-quickstart" --state-dir "$root/state" "$@"
