# SPDX-License-Identifier: Apache-2.0
"""Options of the agent's driver `vnc`."""

from oslo_config import cfg

GROUP = "vnc"

OPTS = [
    cfg.IPOpt(
        "listen_address",
        help="The address on which the ports of consoles are opened. Without "
        "it, that is each address of this machine, IPv4 and IPv6.",
    ),
    cfg.IntOpt(
        "handshake_timeout",
        default=10,
        min=1,
        help="How many seconds a viewer has to prove that it knows the "
        "password; then it is disconnected.",
    ),
    cfg.IntOpt(
        "connect_timeout",
        default=10,
        min=1,
        help="How many seconds it may take to find a server and to connect "
        "to its screen on the compute host.",
    ),
    cfg.IntOpt(
        "idle_timeout",
        default=14400,
        min=0,
        help="After how many seconds without a byte in either direction a "
        "session is closed. 0 means never.",
    ),
    cfg.IntOpt(
        "max_sessions",
        default=10,
        min=1,
        help="How many sessions a console has at most.",
    ),
    cfg.IntOpt(
        "max_handshakes",
        default=2000,
        min=1,
        help="How many viewers of all consoles may be on their way to prove "
        "that they know the password. One more takes the place of the one "
        "that has been at it for the longest time.",
    ),
    cfg.IntOpt(
        "max_failed_attempts",
        default=10,
        min=1,
        help="After how many wrong passwords in a row a console lets nobody "
        "in for `lockout_time` seconds. Each of them is answered later than "
        "the one before.",
    ),
    cfg.IntOpt(
        "lockout_time",
        default=60,
        min=1,
        help="How many seconds a console lets nobody in after too many wrong "
        "passwords.",
    ),
    cfg.MultiStrOpt(
        "endpoint_password",
        default=[],
        secret=True,
        help="The VNC password of the servers' screens on a compute host: a "
        "shell pattern of compute hosts, a blank and the password. Can be "
        "repeated; the first pattern that matches counts. Write a dollar "
        "sign in it as $$. Not needed where screens have no password.",
    ),
    cfg.StrOpt(
        "tls_ca_file",
        help="The certificates, in PEM, of the authorities that the compute "
        "hosts' certificates are checked against. Without it, those of the "
        "system. TLS is used if the endpoint has a TLS port, or if it asks "
        "for it (VeNCrypt).",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        help="The certificate, in PEM, that this console host shows to "
        "compute hosts that ask for one; its key may be in the same file.",
    ),
    cfg.StrOpt(
        "tls_key_file",
        help="The key, in PEM, that belongs to `tls_cert_file`.",
    ),
]
