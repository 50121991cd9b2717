# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts. Each has a virtual environment inside the
# checkout, which is created again only if its requirements have changed.
# shellcheck shell=bash disable=SC2154 # the scripts set root

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# pbr takes the version from git. An archive has no git history, and git
# refuses a checkout that belongs to another user.
git -C "$root" rev-parse HEAD >/dev/null 2>&1 ||
    export PBR_VERSION="${PBR_VERSION:-0.1.0}"

# Print the first Python that is new enough and can create virtual
# environments.
find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 \
        python3.11 /usr/bin/python3; do
        if "$name" - 2>/dev/null <<'EOF'; then
import sys, venv
try:
    import ensurepip
except ImportError:
    # Without it, pip itself can still fill an environment.
    import pip
sys.exit(sys.version_info < (3, 11))
EOF
            printf '%s\n' "$name"
            return
        fi
    done
    die "needs Python 3.11 or later with its venv module. Install it" \
        "(Debian and Ubuntu: apt install python3 python3-venv), or name" \
        "one in the environment variable PYTHON."
}

# ensure_environment FOLDER STAMP PIP_ARGUMENT...: create a virtual environment
# and install packages into it, unless it was created with the same STAMP.
ensure_environment() {
    local folder=$1 stamp=$2
    shift 2
    [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && return
    local python
    python=$(find_python)
    say "Creating $folder with $("$python" --version) (once; takes a minute)"
    rm -rf "$folder"
    # pip's cache stays inside the checkout, too.
    export PIP_CACHE_DIR="$root/.venv/cache" PIP_DISABLE_PIP_VERSION_CHECK=1
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$folder" || die "cannot create $folder"
        set -- "$folder/bin/python" -m pip install "$@"
    else
        "$python" -m venv --without-pip "$folder" || die "cannot create $folder"
        set -- "$python" -m pip --python "$folder/bin/python" install "$@"
    fi
    mkdir -p "$root/.venv"
    "$@" >"$root/.venv/install.log" 2>&1 || {
        tail -n 15 "$root/.venv/install.log" >&2
        die "pip could not install the requirements; the end of" \
            "$root/.venv/install.log is shown above. Check the network."
    }
    printf '%s' "$stamp" >"$folder/stamp"
}

# stamp_of FILE...: print a checksum of the files and the checkout's path.
stamp_of() {
    { printf '%s\n' "$root"; cat "$@"; } | cksum
}
