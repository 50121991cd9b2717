# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the default rules, one module a resource."""

import itertools

from oslo_policy import policy

from console_api.policies import (
    base,
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
)


def list_rules() -> list[policy.RuleDefault]:
    """Return all default rules, as oslo.policy's tools ask for them."""
    return list(
        itertools.chain(
            base.list_rules(),
            consoles.list_rules(),
            console_auth_tokens.list_rules(),
            remote_consoles.list_rules(),
            console_hosts.list_rules(),
        )
    )
