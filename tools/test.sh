#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run all checks and tests: tools/test.sh [ARGUMENTS OF TOX]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tools/environment.sh"

folder=$root/.venv/test
ensure_environment "$folder" "$(cd "$root" && stamp_of constraints.txt)" \
    --constraint "$root/constraints.txt" tox

cd "$root"
export PIP_CACHE_DIR="$root/.venv/cache"
exec "$folder/bin/tox" "$@"
