# SPDX-License-Identifier: Apache-2.0
"""Options of remote consoles: the base of their access URLs."""

from oslo_config import cfg

GROUP = "remote_consoles"


def _base_url(name: str, default: str, console_type: str) -> cfg.StrOpt:
    return cfg.StrOpt(
        name,
        default=default,
        regex=r"^((https?|wss?)://\S+)?$",
        help=f"The URL at which browsers and clients reach the proxy of "
        f"`{console_type}` consoles. The console auth token is added to its "
        "query. An empty value disables the console type.",
    )


OPTS = [
    _base_url(
        "novnc_base_url", "http://127.0.0.1:6080/vnc_auto.html", "novnc"
    ),
    _base_url("xvpvnc_base_url", "http://127.0.0.1:6081/console", "xvpvnc"),
    _base_url(
        "spice_html5_base_url",
        "http://127.0.0.1:6082/spice_auto.html",
        "spice-html5",
    ),
    _base_url(
        "spice_direct_base_url", "http://127.0.0.1:13002/", "spice-direct"
    ),
    _base_url("rdp_html5_base_url", "http://127.0.0.1:6083/", "rdp-html5"),
    _base_url("serial_base_url", "ws://127.0.0.1:6083/", "serial"),
    _base_url("webmks_base_url", "http://127.0.0.1:6090/", "webmks"),
]
