# SPDX-License-Identifier: Apache-2.0
"""Evaluate rules, and cache the decisions."""

import logging
import operator
import sys
import threading
from typing import TYPE_CHECKING, Any

import cachetools
from oslo_context.context import RequestContext
from oslo_policy import policy

from console_api import errors
from console_api.policy import explain
from console_api.policy.needs import ADMIN_RULE, Needs, needs
from console_api.policy.outside import OutsideChecks

if TYPE_CHECKING:
    from collections.abc import Hashable

LOG = logging.getLogger(__name__)

# Maximum number of cached decisions.
_MAX_DECISIONS = 10_000

# Maximum size of the credentials of a cached decision, in bytes.
_MAX_CREDENTIALS = 4_096

# What a check can compare of a caller, besides the roles.
_identity = operator.attrgetter(
    "user_id",
    "user_domain_id",
    "system_scope",
    "domain_id",
    "project_id",
    "project_domain_id",
    "is_admin_project",
    "service_user_id",
    "service_user_domain_id",
    "service_project_id",
    "service_project_domain_id",
)


class Decisions:
    """The rules of one state of the policy files, and cached decisions.

    When the cache is full, random decisions are evicted, so that the share of
    decisions that are found decreases gradually with the number of callers and
    projects.  If the oldest ones were evicted, none would be found as soon as
    there is one project too many, if requests come for each in turn.
    """

    def __init__(
        self, enforcer: policy.Enforcer, outside: OutsideChecks
    ) -> None:
        """Create decisions by the rules of an enforcer.

        :param outside: evaluates rules that ask other servers
        """
        self.enforcer = enforcer
        self._outside = outside
        self._needs = needs(enforcer.rules)
        self._without_target = {
            name
            for name, each in self._needs.items()
            if Needs.TARGET not in each
        }
        self._cache: cachetools.RRCache[Hashable, bool] = cachetools.RRCache(
            _MAX_DECISIONS
        )
        self._lock = threading.Lock()

    def allows(
        self, caller: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        """Return whether a rule allows the caller to act on a project.

        An unknown rule and a rule that cannot be evaluated refuse.

        :raises PolicyUnavailable: the rule asks another server, which does
            not respond in time or fails
        """
        try:
            is_allowed = self.decide(caller, rule, project_id)
        except Exception as error:
            LOG.error(  # noqa: TRY400 (the cause is in a check, not here)
                "The policy rule %s cannot be evaluated: %s", rule, error
            )
            if self.asks_outside(rule):
                raise errors.PolicyUnavailable from error
            return False
        if not is_allowed:
            self.log_refusal(caller, rule, project_id)
        return is_allowed

    def decide(
        self, caller: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        """Return whether a rule passes, from the cache if possible.

        :raises Exception: a check failed; this is not cached
        """
        key = (
            rule,
            None if rule in self._without_target else project_id,
            tuple(caller.roles),
            tuple(caller.service_roles),
            _identity(caller),
        )
        try:
            return self._cache[key]
        except KeyError:
            pass
        if self.asks_outside(rule):
            return self._outside.run(
                lambda: self._evaluate(caller, rule, project_id)
            )
        is_allowed = self._evaluate(caller, rule, project_id)
        if _size(key) <= _MAX_CREDENTIALS:
            with self._lock:
                self._cache[key] = is_allowed
        return is_allowed

    def asks_outside(self, rule: str) -> bool:
        """Return whether a rule asks another server, or may do so."""
        return Needs.OUTSIDE in self._needs.get(rule, Needs.NOTHING)

    def parts(
        self,
        caller: RequestContext,
        rule: str,
        project_id: str | None,
        *,
        is_allowed: bool,
    ) -> list[explain.Part]:
        """Return the checks that made a rule pass or fail.

        :raises Exception: a check failed
        """
        return explain.deciding_parts(
            self.enforcer,
            rule,
            {"project_id": project_id},
            self._credentials(
                caller,
                project_id,
                # No server is asked again.
                with_admin=not self.asks_outside(ADMIN_RULE),
            ),
            is_allowed=is_allowed,
        )

    def log_refusal(
        self, caller: RequestContext, rule: str, project_id: str | None
    ) -> None:
        """Log why a rule refused, at debug level."""
        if not LOG.isEnabledFor(logging.DEBUG):
            return
        try:
            parts = self.parts(caller, rule, project_id, is_allowed=False)
            failed = list(map(str, parts))
        except Exception as error:  # noqa: BLE001 (checks raise anything)
            failed = [f"unknown: {error}"]
        LOG.debug(
            "The policy rule %s refused user %s of project %s with roles %s "
            "on project %s. Failed: %s.",
            rule,
            caller.user_id,
            caller.project_id,
            explain.join(caller.roles),
            project_id,
            explain.join(failed),
        )

    def _evaluate(
        self, caller: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        credentials = self._credentials(
            caller,
            project_id,
            with_admin=Needs.ADMIN in self._needs.get(rule, Needs.NOTHING),
        )
        return bool(
            self.enforcer.enforce(
                rule, {"project_id": project_id}, credentials
            )
        )

    def _credentials(
        self,
        caller: RequestContext,
        project_id: str | None,
        *,
        with_admin: bool,
    ) -> dict[str, Any]:
        """Return what checks can compare of the caller."""
        result = dict(caller.to_policy_values())
        if with_admin:
            # For the check `is_admin:True` of policy files written for Nova.
            result["is_admin"] = bool(
                self.enforcer.enforce(
                    ADMIN_RULE, {"project_id": project_id}, dict(result)
                )
            )
        return result


def _size(key: tuple[Any, ...]) -> int:
    """Return the size of what a key contains, in bytes."""
    rule, project_id, roles, service_roles, identity = key
    parts = (rule, project_id, *roles, *service_roles, *identity)
    return sum(map(sys.getsizeof, parts))
