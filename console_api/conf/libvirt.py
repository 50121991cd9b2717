# SPDX-License-Identifier: Apache-2.0
"""Options of the directory `libvirt`."""

from oslo_config import cfg

GROUP = "libvirt"

OPTS = [
    cfg.MultiStrOpt(
        "uris",
        default=[],
        help="A compute host and how libvirt is reached there: HOST=URI, as "
        "compute-1=qemu+tls://compute-1/system. Repeated for each compute "
        "host. HOST is what console hosts know the compute host by, and where "
        "screens are that listen on every address. Reading is enough.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=5,
        min=0.1,
        help="How many seconds a libvirt may take to answer.",
    ),
    cfg.FloatOpt(
        "gone_after",
        default=300,
        min=0,
        help="How many seconds a server has to be on no compute host until "
        "its consoles and tokens are deleted: Nova undefines a domain for a "
        "while when it reboots a server hard or moves it.",
    ),
]
