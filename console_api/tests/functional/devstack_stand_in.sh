#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for DevStack: those of its functions that the plugin calls, with
# the arguments that they take there, and strict about them.
#
#   devstack_stand_in.sh PHASE...   runs phases such as "stack install"
#
# A test sets FOLDER, DATABASE_URL and the variables that DevStack has.
set -o errexit -o nounset -o pipefail

die() {
    [[ "$1" =~ ^[0-9]+$ ]] || echo "die: no line number: $*" >&2
    shift
    echo "DIED: $*" >&2
    exit 1
}

# takes MIN MAX ARGUMENT... : dies unless there are so many, none empty.
takes() {
    local function=${FUNCNAME[1]} min=$1 max=$2 argument
    shift 2
    (($# >= min && $# <= max)) || die 0 "$function: $# arguments: $*"
    for argument in "${@:1:min}"; do
        [[ -n "$argument" ]] || die 0 "$function: an empty argument: $*"
    done
}

define_plugin() { takes 1 1 "$@"; }
echo_summary() { takes 1 9 "$@"; }
sudo() { "$@"; }
install_package() { takes 1 9 "$@"; }
get_python_exec_prefix() { echo "$BIN"; }

enable_service() {
    takes 1 9 "$@"
    ENABLED_SERVICES+=$(printf ',%s' "$@")
}

is_service_enabled() {
    takes 1 9 "$@"
    local service
    for service in "$@"; do
        [[ ",$ENABLED_SERVICES," == *",$service,"* ]] && return 0
    done
    return 1
}

ini() {
    "$BIN/python" -I -S - "$@" <<'EOF'
import configparser, sys

do, path, section, option, *value = sys.argv[1:]
ini = configparser.RawConfigParser(strict=False, delimiters="=")
ini.optionxform = str
ini.read(path)
if do == "get":
    print(ini.get(section, option, fallback=""))
else:
    if section != "DEFAULT" and not ini.has_section(section):
        ini.add_section(section)
    ini.set(section, option, value[0])
    with open(path, "w") as file:
        ini.write(file)
EOF
}

iniset() {
    takes 3 4 "$@"
    (($# == 4)) || die 0 "iniset: no value: $*"
    # As there, an option that has no value is left alone.
    [[ -n "$4" ]] || return 0
    ini set "$@"
}

iniget() {
    takes 3 3 "$@"
    ini get "$@"
}

setup_develop() {
    takes 1 2 "$@"
    local extra extras=${2:-}
    for extra in ${extras//,/ }; do
        grep -q "^$extra =" "$1/setup.cfg" || die 0 "no extra $extra in $1"
    done
}

pip_install() {
    takes 1 9 "$@"
    "$BIN/python" -c 'import importlib.metadata, sys
for name in sys.argv[1:]:
    importlib.metadata.version(name)' "$@"
}

recreate_database() {
    takes 1 1 "$@"
    rm -f "$FOLDER/$1.sqlite"
}

database_connection_url() {
    takes 1 1 "$@"
    echo "sqlite:///$FOLDER/$1.sqlite"
}

create_service_user() {
    takes 1 2 "$@"
    # The test has made it.
    [[ "$1" == console_api ]] || die 0 "create_service_user: $*"
}

get_or_create_service() {
    takes 3 3 "$@"
    echo "service $1 $2" >>"$FOLDER/catalog"
}

get_or_create_endpoint() {
    takes 3 5 "$@"
    grep -q "^service .* $1$" "$FOLDER/catalog" || die 0 "no service $1"
    echo "endpoint $1 $2 $3" >>"$FOLDER/catalog"
}

configure_keystone_authtoken_middleware() {
    takes 2 4 "$@"
    local section=${3:-keystone_authtoken}
    iniset "$1" "$section" auth_type password
    iniset "$1" "$section" interface public
    iniset "$1" "$section" auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$1" "$section" username "$2"
    iniset "$1" "$section" password "$SERVICE_PASSWORD"
    iniset "$1" "$section" user_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$1" "$section" project_name "$SERVICE_PROJECT_NAME"
    iniset "$1" "$section" project_domain_name "$SERVICE_DOMAIN_NAME"
}

run_process() {
    takes 2 5 "$@"
    is_service_enabled "$1" || return 0
    [[ "$2" == /* ]] || die 0 "run_process: no absolute path: $2"
    [[ ! "$2" =~ sudo|uwsgi|[\;\<\>*] ]] || die 0 "run_process: $2"
    # As systemd does: the words of the command, and no shell.
    # shellcheck disable=SC2086
    setsid $2 </dev/null >"$FOLDER/$1.log" 2>&1 &
    echo $! >"$FOLDER/$1.pid"
}

stop_process() {
    takes 1 1 "$@"
    is_service_enabled "$1" || return 0
    kill "$(cat "$FOLDER/$1.pid")"
    tail --pid "$(cat "$FOLDER/$1.pid")" -f /dev/null
    rm "$FOLDER/$1.pid"
}

wait_for_service() {
    takes 2 3 "$@"
    timeout "$1" bash -c "until curl -sf -o /dev/null '$2'; do sleep 0.2; done"
}

ENABLED_SERVICES=key,n-api
plugin=$DEST/console_api/devstack
# shellcheck disable=SC1091
source "$plugin/settings"
for phase in "$@"; do
    # shellcheck disable=SC1091,SC2086
    source "$plugin/plugin.sh" $phase
done
