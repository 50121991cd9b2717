# SPDX-License-Identifier: Apache-2.0
"""Policy rules and their defaults, one module per resource."""

import itertools

from oslo_policy import policy

from console_api.policies import (
    base,
    console_auth_tokens,
    console_gateways,
    console_hosts,
    console_locks,
    console_sessions,
    consoles,
    remote_consoles,
    servers,
)


def list_rules() -> list[policy.RuleDefault]:
    """Return all rules; the entry point for the tools of oslo.policy."""
    return list(
        itertools.chain(
            base.list_rules(),
            servers.list_rules(),
            consoles.list_rules(),
            console_auth_tokens.list_rules(),
            remote_consoles.list_rules(),
            console_hosts.list_rules(),
            console_sessions.list_rules(),
            console_gateways.list_rules(),
            console_locks.list_rules(),
        )
    )
