# SPDX-License-Identifier: Apache-2.0
"""Which rules decide on an operation, and on which project.

The API and the tools that explain and compare policies use the same table, so
what a tool says is what the API does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from oslo_context.context import RequestContext

from console_api.policies import (
    console_auth_tokens,
    console_gateways,
    console_hosts,
    console_locks,
    console_sessions,
    consoles,
    remote_consoles,
)
from console_api.policies.servers import ALL_TENANTS

#: Returns whether a rule allows a caller to act on a project.
Allows: TypeAlias = Callable[[RequestContext, str, str | None], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rules that all have to pass for an operation.

    ``before`` are checked against the caller's own project, before anything is
    looked up.  ``own`` are checked against the project of the resource if that
    is the caller's own one, ``other`` if it is another one; ``before_other``
    are checked against the caller's own project before other projects are
    listed.  ``has_project`` says whether the resource belongs to a project.
    """

    before: tuple[str, ...] = ()
    before_other: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    has_project: bool = True


def _server(rule: str) -> Access:
    # The rule for servers of other projects is first, so that callers without
    # it do not learn that the other rule cannot be evaluated now.
    return Access(own=(rule,), other=(ALL_TENANTS, rule))


def _list(rule: str) -> Access:
    return Access(
        before=(rule,), before_other=(ALL_TENANTS,), other=(ALL_TENANTS, rule)
    )


def _no_project(rule: str) -> Access:
    return Access(before=(rule,), has_project=False)


#: The operations, by the rule of each.
ACCESS: Mapping[str, Access] = {
    consoles.LIST: _list(consoles.LIST),
    consoles.INDEX: _server(consoles.INDEX),
    consoles.CREATE: _server(consoles.CREATE),
    consoles.SHOW: _server(consoles.SHOW),
    consoles.DELETE: _server(consoles.DELETE),
    # A caller without the role does not learn whether a token exists.
    console_auth_tokens.SHOW: Access(
        before=(console_auth_tokens.SHOW,), other=(console_auth_tokens.SHOW,)
    ),
    console_auth_tokens.DELETE: _server(console_auth_tokens.DELETE),
    remote_consoles.CREATE: _server(remote_consoles.CREATE),
    remote_consoles.VIEW_ONLY: _server(remote_consoles.VIEW_ONLY),
    remote_consoles.DELETE: _server(remote_consoles.DELETE),
    console_hosts.INDEX: _no_project(console_hosts.INDEX),
    console_hosts.SHOW: _no_project(console_hosts.SHOW),
    console_hosts.UPDATE: _no_project(console_hosts.UPDATE),
    console_sessions.OPEN: _no_project(console_sessions.OPEN),
    console_sessions.INDEX: _list(console_sessions.INDEX),
    console_sessions.SHOW: _server(console_sessions.SHOW),
    console_sessions.DELETE: _server(console_sessions.DELETE),
    console_locks.INDEX: _no_project(console_locks.INDEX),
    console_locks.UPDATE: _no_project(console_locks.UPDATE),
    console_locks.DELETE: _no_project(console_locks.DELETE),
    console_gateways.UPDATE: _no_project(console_gateways.UPDATE),
    console_gateways.CLOSE: _no_project(console_gateways.CLOSE),
}


def may_begin(allows: Allows, caller: RequestContext, rule: str) -> bool:
    """Return whether a caller may perform an operation on some project.

    :param rule: the rule of the operation
    """
    own = caller.project_id
    return all(allows(caller, each, own) for each in ACCESS[rule].before)


def may_list_others(allows: Allows, caller: RequestContext, rule: str) -> bool:
    """Return whether a caller may request resources of other projects."""
    own = caller.project_id
    return all(allows(caller, each, own) for each in ACCESS[rule].before_other)


def may_reach(
    allows: Allows, caller: RequestContext, rule: str, project_id: str | None
) -> bool:
    """Return whether a caller who may begin reaches a project's resources.

    :param project_id: the project of the resource
    """
    access = ACCESS[rule]
    is_own = project_id == caller.project_id
    rules = access.own if is_own else access.other
    return all(allows(caller, each, project_id) for each in rules)
