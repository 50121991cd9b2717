# SPDX-License-Identifier: Apache-2.0
"""Policy decisions on callers and the projects of servers."""

import logging
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Self

from oslo_config import cfg
from oslo_context.context import RequestContext
from oslo_policy import _checks, policy

from console_api import conf as configuration
from console_api import errors
from console_api.policy.loader import Failure, Loader
from console_api.policy.tools import ToolEnforcer

LOG = logging.getLogger(__name__)

# Maximum number of cached decisions; then the cache is cleared.
_MAX_DECISIONS = 10_000

# Checks whose result depends on rules, credentials and target alone.  Others
# (http:, third-party checks) may return another result each time.
_PURE_CHECKS = (
    _checks.TrueCheck,
    _checks.FalseCheck,
    _checks.RoleCheck,
    _checks.RuleCheck,
    _checks.GenericCheck,
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one state of the policy files, and cached decisions."""

    enforcer: policy.Enforcer
    are_pure: bool
    decisions: dict[Hashable, bool] = field(default_factory=dict)

    @classmethod
    def make(cls, enforcer: policy.Enforcer) -> Self:
        """Return the rules of an enforcer, without decisions."""
        return cls(enforcer, all(map(_is_pure, enforcer.rules.values())))


def check_scope(context: RequestContext) -> None:
    """Check that the caller's token is scoped to a project.

    All rules are about projects.  The check precedes every look-up, so the
    refusal reveals nothing.

    :raises ProjectScopeRequired: the token has another scope, or none
    """
    if context.system_scope:
        kind = "a system-scoped"
    elif context.domain_id:
        kind = "a domain-scoped"
    elif not context.project_id:
        kind = "an unscoped"
    else:
        return
    LOG.info("Refused %s token.", kind)
    raise errors.ProjectScopeRequired(kind)


class Enforcer:
    """Decides by the current policy files.

    A decision is cached until the rules change.  A change of a policy file
    takes effect within ``loader.LOOK_INTERVAL``, unless loading takes longer
    than ``loader.LOAD_TIMEOUT``.  If the files cannot be used, that is logged
    and the previous rules stay in force.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Load the rules.

        :raises ConfigurationError: see ``Loader``
        """
        self._loader = Loader(conf)
        self._rules = _Rules.make(self._loader.enforcer)

    def allows(
        self, context: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        """Return whether a rule allows the caller to act on a project.

        An unknown rule and a rule that cannot be evaluated refuse.

        :param project_id: the project of the server, which is the target
        """
        self._loader.refresh()
        rules = self._rules
        if rules.enforcer is not self._loader.enforcer:
            self._rules = rules = _Rules.make(self._loader.enforcer)
        key = (rule, project_id, *_credentials(context))
        try:
            return rules.decisions[key]
        except KeyError:
            allowed = _decide(rules.enforcer, context, rule, project_id)
        if rules.are_pure:
            if len(rules.decisions) >= _MAX_DECISIONS:
                rules.decisions.clear()
            rules.decisions[key] = allowed
        return allowed

    def failure(self) -> Failure | None:
        """Return why the policy files cannot be used, None if they are."""
        self._loader.refresh()
        return self._loader.failure


def get_enforcer() -> policy.Enforcer:
    """Return an enforcer for the command line tools of oslo.policy.

    :raises ConfigurationError: see ``conf.load``
    """
    return ToolEnforcer(configuration.load(configuration.config_dir()))


def _is_pure(check: _checks.BaseCheck) -> bool:
    if isinstance(check, _checks.AndCheck | _checks.OrCheck):
        return all(map(_is_pure, check.rules))
    if isinstance(check, _checks.NotCheck):
        return _is_pure(check.rule)
    return type(check) in _PURE_CHECKS


def _credentials(context: RequestContext) -> tuple[Hashable, ...]:
    return (
        context.user_id,
        context.user_domain_id,
        context.system_scope,
        context.domain_id,
        context.project_id,
        context.project_domain_id,
        tuple(context.roles),
        context.is_admin_project,
        context.service_user_id,
        context.service_user_domain_id,
        context.service_project_id,
        context.service_project_domain_id,
        tuple(context.service_roles),
    )


def _decide(
    enforcer: policy.Enforcer,
    context: RequestContext,
    rule: str,
    project_id: str | None,
) -> bool:
    credentials = dict(context.to_policy_values())
    target = {"project_id": project_id}
    try:
        # For the check `is_admin:True` of policy files written for Nova.
        credentials["is_admin"] = bool(
            enforcer.enforce("context_is_admin", target, dict(credentials))
        )
        return bool(enforcer.enforce(rule, target, credentials))
    except Exception as error:  # noqa: BLE001 (oslo.policy raises anything)
        # Circular references, failures of third-party checks.
        LOG.error(  # noqa: TRY400 (the traceback of a circle is too long)
            "The policy rule %s cannot be evaluated and refuses: %s. Check "
            "whether its rules reference each other in a circle.",
            rule,
            error,
        )
        return False
