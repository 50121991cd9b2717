# SPDX-License-Identifier: Apache-2.0
"""Options of the agent's driver `vnc`."""

from oslo_config import cfg, types

from console_api import values

GROUP = "vnc"

OPTS = [
    cfg.IPOpt(
        "listen_address",
        help="Address on which the ports of consoles are opened. By default, "
        "they are opened on all IPv4 and IPv6 addresses of the machine.",
    ),
    cfg.IntOpt(
        "handshake_timeout",
        default=10,
        min=1,
        help="Time, in seconds, that a viewer has for its part of the "
        "handshake, without the time for typing the password.",
    ),
    cfg.IntOpt(
        "password_timeout",
        default=120,
        min=1,
        help="Time, in seconds, that a person has to type the password at the "
        "prompt of the viewer.",
    ),
    cfg.IntOpt(
        "connect_timeout",
        default=10,
        min=1,
        help="Time limit, in seconds, for looking up a server and connecting "
        "to its display on the compute host.",
    ),
    cfg.IntOpt(
        "idle_timeout",
        default=14400,
        min=0,
        help="Time, in seconds, without data in either direction after which "
        "a session is closed. 0 means no limit.",
    ),
    cfg.IntOpt(
        "reconnect_timeout",
        default=60,
        min=0,
        help="Time limit, in seconds, for connecting again when the display "
        "of a server closes the connection, such as when the server is "
        "stopped and started or migrated. The viewer stays connected. 0 means "
        "that the session ends instead.",
    ),
    cfg.IntOpt(
        "max_sessions",
        default=10,
        min=1,
        help="Maximum number of sessions of a console.",
    ),
    cfg.BoolOpt(
        "allow_exclusive",
        default=False,
        help="Whether a viewer that requests exclusive access disconnects the "
        "other viewers of the server. By default, every viewer shares the "
        "display, because many request exclusive access unless told "
        "otherwise.",
    ),
    cfg.IntOpt(
        "max_handshakes",
        default=2000,
        min=1,
        help="Maximum number of viewers, of all consoles together, that have "
        "not authenticated yet. One more disconnects the oldest of the "
        "address that has the most.",
    ),
    cfg.IntOpt(
        "max_failed_attempts",
        default=10,
        min=1,
        help="Number of consecutive wrong passwords after which a console "
        "refuses an address for `lockout_time` seconds. The delay before the "
        "next password is checked grows with each of them. IPv6 addresses "
        "count by networks of 64 bits.",
    ),
    cfg.IntOpt(
        "lockout_time",
        default=60,
        min=1,
        help="Time, in seconds, for which a console refuses an address after "
        "too many wrong passwords.",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        help="File with the server certificate of the console ports, in PEM "
        "format, followed by intermediate certificates. It may also contain "
        "the private key. With it, viewers are offered TLS (VeNCrypt with "
        "X509Vnc) before VNC authentication without TLS. The file is read "
        "again when it changes.",
    ),
    cfg.StrOpt(
        "tls_key_file",
        help="File with the private key of `tls_cert_file`, in PEM format, "
        "without a passphrase.",
    ),
    cfg.BoolOpt(
        "tls_required",
        default=False,
        help="Whether viewers without support for TLS are refused. Needs "
        "`tls_cert_file`.",
    ),
    cfg.MultiStrOpt(
        "endpoint_password",
        default=[],
        secret=True,
        help="VNC password of the displays on compute hosts: a shell pattern "
        "of compute hosts, a space and the password. May be repeated; the "
        "first matching pattern applies. Write a dollar sign in the password "
        "as $$. Not needed for displays without a password.",
    ),
    cfg.MultiStrOpt(
        "endpoint_login",
        default=[],
        secret=True,
        help="User name and password for displays that require both inside "
        "TLS (VeNCrypt X509Plain): a shell pattern of compute hosts, a space, "
        "the user name, a space and the password. May be repeated; the first "
        "matching pattern applies. Write a dollar sign in the password as $$.",
    ),
    cfg.ListOpt(
        "endpoint_tls_required",
        default=[],
        item_type=types.String(max_length=values.MAX_NAME_LENGTH),
        help="Shell patterns of compute hosts whose displays must be reached "
        "through TLS with a certificate. A display there that offers none is "
        "refused before a password is sent to it. `*` matches all compute "
        "hosts.",
    ),
    cfg.ListOpt(
        "endpoint_tls_verify_compute_host",
        default=[],
        item_type=types.String(max_length=values.MAX_NAME_LENGTH),
        help="Shell patterns of compute hosts whose certificates must contain "
        "the name of the compute host instead of the host of the endpoint, "
        "for directories whose endpoints have IP addresses.",
    ),
    cfg.StrOpt(
        "endpoint_tls_ca_file",
        help="File with the CA certificates, in PEM format, that certificates "
        "of compute hosts are verified against. Defaults to the CA "
        "certificates of the system. TLS is used if an endpoint has a TLS "
        "port or offers TLS itself (VeNCrypt).",
    ),
    cfg.StrOpt(
        "endpoint_tls_cert_file",
        help="File with the client certificate, in PEM format, for compute "
        "hosts that request one. It may also contain the private key.",
    ),
    cfg.StrOpt(
        "endpoint_tls_key_file",
        help="File with the private key of `endpoint_tls_cert_file`, in PEM "
        "format.",
    ),
]
