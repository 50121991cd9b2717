# SPDX-License-Identifier: Apache-2.0
"""Options of remote consoles: the base of their access URLs."""

from oslo_config import cfg

GROUP = "remote_consoles"


def _base_url(console_type: str, example: str) -> cfg.StrOpt:
    return cfg.StrOpt(
        f"{console_type.replace('-', '_')}_base_url",
        regex=r"^((https?|wss?)://\S+)?$",
        help=f"The URL at which browsers and clients reach the proxy of "
        f"`{console_type}` consoles, such as {example}. The console auth "
        "token is added to its query. Unless it is set, the console type is "
        "not available.",
    )


OPTS = [
    _base_url("novnc", "https://novnc.example.org/vnc_auto.html"),
    _base_url("xvpvnc", "https://xvpvnc.example.org/console"),
    _base_url("spice-html5", "https://spice.example.org/spice_auto.html"),
    _base_url("spice-direct", "https://spice-direct.example.org/"),
    _base_url("rdp-html5", "https://rdp.example.org/"),
    _base_url("serial", "wss://serial.example.org/"),
    _base_url("webmks", "https://mks.example.org/"),
]
