#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run all checks and tests: tools/test.sh [TOX_ARGUMENT...]
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
. "$root/tools/environment.sh"

case $root in
*[[:space:]]*)
    die "the path of the checkout, '$root', contains whitespace, which" \
        "stestr does not support. Move the checkout."
    ;;
esac

folder=$root/.venv/test
ensure_environment "$folder" "$(cd "$root" && stamp_of constraints.txt)" \
    --constraint "$root/constraints.txt" tox tox-uv

# Without them, tests in a browser are skipped.
python3 "$root/tools/fetch_modules.py" || say "The page is incomplete."
cd "$root"
export PIP_CACHE_DIR="$root/.venv/cache" UV_CACHE_DIR="$root/.venv/uv"
[ $# = 0 ] || exec "$folder/bin/tox" "$@"
# All checks but the last use one processor most of the time. pbr reads the
# whole checkout to install the package, where no file may disappear.
"$folder/bin/tox" run --notest
status=0
"$folder/bin/tox" run-parallel --skip-pkg-install --parallel-no-spinner \
    -m checks || status=$?
"$folder/bin/tox" run --skip-pkg-install -e cover || status=$?
exit "$status"
