# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: one virtual environment for each of them,
# inside the checkout, made anew only when what it is made of has changed.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# The first Python that is new enough and can make virtual environments.
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

# ensure_environment DIR STAMP REQUIREMENT... : makes DIR hold what pip makes
# of the requirements, unless STAMP says that it does already.
ensure_environment() {
    local folder=$1 stamp=$2
    shift 2
    [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && return
    local python
    python=$(find_python)
    say "Making $folder with $("$python" --version) (once; takes a minute)"
    rm -rf "$folder"
    # Nothing is kept outside the checkout, pip's cache included.
    export PIP_CACHE_DIR="$root/.venv/cache" PIP_DISABLE_PIP_VERSION_CHECK=1
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$folder" || die "cannot make $folder"
        set -- "$folder/bin/python" -m pip install "$@"
    else
        "$python" -m venv --without-pip "$folder" || die "cannot make $folder"
        set -- "$python" -m pip --python "$folder/bin/python" install "$@"
    fi
    mkdir -p "$root/.venv"
    "$@" >"$root/.venv/install.log" 2>&1 || {
        tail -n 15 "$root/.venv/install.log" >&2
        die "pip could not install what is needed; the end of" \
            "$root/.venv/install.log is above. Is the network there?"
    }
    printf '%s' "$stamp" >"$folder/stamp"
}

# stamp_of FILE... : changes whenever one of the files does, or moves.
stamp_of() {
    { printf '%s\n' "$root"; cat "$@"; } | cksum
}
