# SPDX-License-Identifier: Apache-2.0
"""The directive ``policy-defaults``: which persona each rule allows."""

from docutils import nodes
from oslo_config import cfg
from oslo_policy import policy
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from console_api import policies
from console_api.api import routes

PERSONAS = ("reader", "member", "manager", "service", "admin")


class PolicyDefaults(SphinxDirective):
    """A table of the rules of all routes and the personas that pass them."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            f"   :widths: 40 25 {'9 ' * len(PERSONAS)}",
            "",
            *_row("Rule", "Operation", *map(str.capitalize, PERSONAS)),
        ]
        for rule in _operation_rules():
            allowed = ["yes" if _allows(rule, p) else "" for p in PERSONAS]
            lines += _row(f"``{rule.name}``", rule.description or "", *allowed)
        return self.parse_text_to_nodes("\n".join(lines))


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


def _operation_rules() -> list[policy.RuleDefault]:
    names = {route.rule for route in routes.ROUTES}
    return [rule for rule in policies.list_rules() if rule.name in names]


def _allows(rule: policy.RuleDefault, persona: str) -> bool:
    """Return whether a default allows a persona on its own project."""
    checks = {default.name: default.check for default in policies.list_rules()}
    enforcer = policy.Enforcer(cfg.ConfigOpts(), rules=checks, use_conf=False)
    project = {"project_id": "a-project"}
    credentials = {**project, "roles": [persona]}
    return bool(enforcer.enforce(rule.name, project, credentials))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("policy-defaults", PolicyDefaults)
    return {"parallel_read_safe": True}
