# SPDX-License-Identifier: Apache-2.0
"""The base URLs of remote consoles in the configurations of tests."""

#: The options of ``[remote_consoles]``: no two console types share one.
BASE_URLS = {
    "novnc_base_url": "http://127.0.0.1:6080/vnc_auto.html",
    "xvpvnc_base_url": "http://127.0.0.1:6081/console",
    "spice_html5_base_url": "http://127.0.0.1:6082/spice_auto.html",
    "spice_direct_base_url": "http://127.0.0.1:13002/",
    "rdp_html5_base_url": "http://127.0.0.1:6083/",
    "serial_base_url": "ws://127.0.0.1:6083/",
    "webmks_base_url": "http://127.0.0.1:6090/",
}
