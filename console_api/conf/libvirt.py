# SPDX-License-Identifier: Apache-2.0
"""Options of the directory `libvirt`."""

from oslo_config import cfg

GROUP = "libvirt"

OPTS = [
    cfg.MultiStrOpt(
        "uris",
        default=[],
        help="A compute host and the URI of its libvirt, in the form "
        "HOST=URI, such as compute-1=qemu+tls://compute-1/system. Repeat the "
        "option for each compute host. HOST is the name that console hosts "
        "use for the compute host, and the address of screens that listen on "
        "all addresses. Read-only access is sufficient.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=5,
        min=0.1,
        help="Timeout, in seconds, for a response of libvirt.",
    ),
    cfg.FloatOpt(
        "gone_after",
        default=300,
        min=0,
        help="Time, in seconds, after which the consoles and tokens of a "
        "server that is on no compute host are deleted. Nova undefines a "
        "domain temporarily during a hard reboot or a migration.",
    ),
]
