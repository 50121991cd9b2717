# SPDX-License-Identifier: Apache-2.0
"""Policy decisions on callers and the projects of servers."""

import logging

from oslo_config import cfg
from oslo_context.context import RequestContext
from oslo_policy import policy

from console_api import conf as configuration
from console_api import errors
from console_api.policy.decisions import Decisions
from console_api.policy.loader import Loader
from console_api.policy.outside import OutsideChecks
from console_api.policy.state import State
from console_api.policy.tools import ToolEnforcer

LOG = logging.getLogger(__name__)


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
        self._outside = OutsideChecks(
            conf.api.max_remote_policy_checks, conf.oslo_policy.remote_timeout
        )
        self._loader = Loader(conf)
        self._decisions = Decisions(self._loader.enforcer, self._outside)

    def allows(
        self, context: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        """Return whether a rule allows the caller to act on a project.

        An unknown rule and a rule that cannot be evaluated refuse.

        :param project_id: the project of the server, which is the target
        :raises PolicyUnavailable: the rule asks another server, which does
            not respond in time or fails
        """
        self._loader.refresh()
        decisions = self._decisions
        if decisions.enforcer is not self._loader.enforcer:
            decisions = Decisions(self._loader.enforcer, self._outside)
            self._decisions = decisions
        return decisions.allows(context, rule, project_id)

    def state(self) -> State:
        """Return the state of the policy files, after a look at them."""
        self._loader.refresh()
        return self._loader.state


def get_enforcer() -> policy.Enforcer:
    """Return an enforcer for the command line tools of oslo.policy.

    :raises SystemExit: see ``conf.load``; with the message for the operator
    """
    try:
        conf = configuration.load(configuration.config_dir())
    except errors.ConfigurationError as error:
        raise SystemExit(str(error)) from error
    return ToolEnforcer(conf)
