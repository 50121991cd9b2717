#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The DevStack plugin of console_api; see README.rst.

CONSOLE_API_CONF=$CONSOLE_API_CONF_DIR/console_api.conf

# The filter for each pipeline of Nova's API.
declare -A CONSOLE_API_FILTERS=(
    [openstack_compute_api_v21]=console_api
    [openstack_compute_api_v21_legacy_v2_compatible]=console_api_v2
)

function console_api_bin_dir {
    if [[ -n "${DEVSTACK_VENV:-}" && "${GLOBAL_VENV:-True}" == "True" ]]; then
        echo "$DEVSTACK_VENV/bin"
    else
        get_python_exec_prefix
    fi
}

function check_console_api_mode {
    if [[ ! "$CONSOLE_API_MODE" =~ ^(service|filter)$ ]]; then
        die $LINENO "CONSOLE_API_MODE is '$CONSOLE_API_MODE'," \
            "but must be service or filter."
    fi
}

function install_console_api {
    setup_develop "$CONSOLE_API_DIR/client"
    # The extras for databases have the names that DevStack uses.
    setup_develop "$CONSOLE_API_DIR" "$DATABASE_TYPE,gateway"
    if [[ "$CONSOLE_API_MODE" == "service" ]]; then
        pip_install gunicorn
    fi
    if is_service_enabled console-gateway; then
        install_package npm
        python3 "$CONSOLE_API_DIR/tools/fetch_modules.py"
    fi
}

function configure_console_api {
    sudo install -d -m 750 -o "$STACK_USER" "$CONSOLE_API_CONF_DIR"
    install -d -m 700 "$CONSOLE_API_CONF_DIR/keys"
    install -m 644 "$CONSOLE_API_DIR/etc/console_api/api-paste.ini" \
        "$CONSOLE_API_CONF_DIR"
    install -m 600 /dev/null "$CONSOLE_API_CONF"

    iniset "$CONSOLE_API_CONF" DEFAULT debug "$ENABLE_DEBUG_LOG_LEVEL"
    iniset "$CONSOLE_API_CONF" database connection \
        "$(database_connection_url console_api)"
    iniset "$CONSOLE_API_CONF" passwords key_repository \
        "$CONSOLE_API_CONF_DIR/keys"
    iniset "$CONSOLE_API_CONF" consoles types vnc
    iniset "$CONSOLE_API_CONF" remote_consoles novnc_base_url \
        "${NOVNCPROXY_URL:-http://$SERVICE_HOST:6080/vnc_lite.html}"
    iniset "$CONSOLE_API_CONF" agent public_hostname "$SERVICE_HOST"
    iniset "$CONSOLE_API_CONF" agent compute_hosts "*"
    iniset "$CONSOLE_API_CONF" agent ports "$CONSOLE_API_CONSOLE_PORTS"
    configure_keystone_authtoken_middleware "$CONSOLE_API_CONF" console_api
    configure_console_api_directory
    if [[ "$CONSOLE_API_MODE" == "service" ]] &&
        is_service_enabled console-gateway; then
        configure_console_gateway
    fi
    if [[ "$CONSOLE_API_MODE" == "filter" ]]; then
        add_console_api_to_nova
    fi
}

# The gateway uses the API as a separate service.
function configure_console_gateway {
    local page=http://$SERVICE_HOST:$CONSOLE_API_GATEWAY_PORT
    iniset "$CONSOLE_API_CONF" remote_consoles novnc_base_url \
        "$page/vnc_auto.html"
    iniset "$CONSOLE_API_CONF" remote_consoles spice_html5_base_url \
        "$page/spice_auto.html"
    iniset "$CONSOLE_API_CONF" remote_consoles serial_base_url \
        "ws://$SERVICE_HOST:$CONSOLE_API_GATEWAY_PORT/"
    iniset "$CONSOLE_API_CONF" tokens single_use true
    iniset "$CONSOLE_API_CONF" gateway port "$CONSOLE_API_GATEWAY_PORT"
    iniset "$CONSOLE_API_CONF" gateway monitoring_port \
        "$((CONSOLE_API_GATEWAY_PORT + 1))"
    iniset "$CONSOLE_API_CONF" gateway frame_ancestors "http://$SERVICE_HOST"
    iniset "$CONSOLE_API_CONF" gateway allowed_origins "http://$SERVICE_HOST"
    configure_console_api_user gateway_api
    iniset "$CONSOLE_API_CONF" gateway_api endpoint_override \
        "$CONSOLE_API_URL/v2.1"
}

# Look servers up in Nova.
function configure_console_api_directory {
    iniset "$CONSOLE_API_CONF" directory driver nova
    configure_console_api_user nova
}

# configure_console_api_user GROUP: how to authenticate, in a group of options.
function configure_console_api_user {
    iniset "$CONSOLE_API_CONF" "$1" auth_type password
    iniset "$CONSOLE_API_CONF" "$1" auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$CONSOLE_API_CONF" "$1" username console_api
    iniset "$CONSOLE_API_CONF" "$1" password "$SERVICE_PASSWORD"
    iniset "$CONSOLE_API_CONF" "$1" user_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$CONSOLE_API_CONF" "$1" project_name "$SERVICE_PROJECT_NAME"
    iniset "$CONSOLE_API_CONF" "$1" project_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$CONSOLE_API_CONF" "$1" region_name "$REGION_NAME"
}

function add_console_api_to_nova {
    local composite filter pipeline
    for composite in "${!CONSOLE_API_FILTERS[@]}"; do
        filter=${CONSOLE_API_FILTERS[$composite]}
        iniset "$NOVA_API_PASTE_INI" "filter:$filter" paste.filter_factory \
            console_api.api.pipeline:filter_factory
        iniset "$NOVA_API_PASTE_INI" "filter:$filter" config_dir \
            "$CONSOLE_API_CONF_DIR"
        pipeline=$(iniget "$NOVA_API_PASTE_INI" "composite:$composite" keystone)
        if [[ " $pipeline " != *" $filter "* ]]; then
            iniset "$NOVA_API_PASTE_INI" "composite:$composite" keystone \
                "${pipeline/keystonecontext/keystonecontext $filter}"
        fi
    done
    iniset "$NOVA_API_PASTE_INI" filter:console_api_v2 microversions false
}

function remove_console_api_from_nova {
    local composite filter pipeline
    [[ -f "$NOVA_API_PASTE_INI" ]] || return 0
    for composite in "${!CONSOLE_API_FILTERS[@]}"; do
        filter=${CONSOLE_API_FILTERS[$composite]}
        pipeline=$(iniget "$NOVA_API_PASTE_INI" "composite:$composite" keystone)
        if [[ " $pipeline " == *" $filter "* ]]; then
            iniset "$NOVA_API_PASTE_INI" "composite:$composite" keystone \
                "${pipeline/ $filter/}"
        fi
    done
}

function init_console_api {
    local manage
    manage=$(console_api_bin_dir)/console-api-manage
    create_service_user console_api admin
    recreate_database console_api
    "$manage" --config-dir "$CONSOLE_API_CONF_DIR" db sync
    "$manage" --config-dir "$CONSOLE_API_CONF_DIR" keys setup
}

# In the pipeline of Nova, clients find consoles at Nova's endpoint.
function register_console_api {
    if [[ "$CONSOLE_API_MODE" == "service" ]]; then
        get_or_create_service console_api console "Consoles of servers"
        get_or_create_endpoint console "$REGION_NAME" "$CONSOLE_API_URL/v2.1"
    fi
}

function start_console_api {
    local bin
    bin=$(console_api_bin_dir)
    if [[ "$CONSOLE_API_MODE" == "service" ]]; then
        run_process console-api "$bin/gunicorn --config $CONSOLE_API_DIR/etc/console_api/deploy/gunicorn.conf.py --env OS_CONSOLE_API_CONFIG_DIR=$CONSOLE_API_CONF_DIR --bind $SERVICE_LISTEN_ADDRESS:$CONSOLE_API_PORT"
        if is_service_enabled console-api &&
            ! wait_for_service "$SERVICE_TIMEOUT" "$CONSOLE_API_URL/healthcheck"; then
            die $LINENO "console-api did not start"
        fi
    fi
    if [[ "$CONSOLE_API_MODE" == "service" ]]; then
        run_process console-gateway "$bin/console-api-gateway --config-dir $CONSOLE_API_CONF_DIR"
    fi
    run_process console-agent "$bin/console-api-agent --config-dir $CONSOLE_API_CONF_DIR"
}

function stop_console_api {
    stop_process console-agent
    stop_process console-gateway
    if [[ "$CONSOLE_API_MODE" == "service" ]]; then
        stop_process console-api
    fi
}

function cleanup_console_api {
    remove_console_api_from_nova
    sudo rm -rf "$CONSOLE_API_CONF_DIR"
}

if is_service_enabled console-api console-agent; then
    case "$1 ${2:-}" in
        "stack pre-install")
            check_console_api_mode
            ;;
        "stack install")
            echo_summary "Installing console_api"
            install_console_api
            ;;
        "stack post-config")
            echo_summary "Configuring console_api"
            configure_console_api
            init_console_api
            register_console_api
            ;;
        "stack extra")
            echo_summary "Starting console_api"
            start_console_api
            ;;
        "unstack ")
            stop_console_api
            ;;
        "clean ")
            cleanup_console_api
            ;;
    esac
fi
