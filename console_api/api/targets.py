# SPDX-License-Identifier: Apache-2.0
"""Policy targets: what a request is about, and whether the caller may do it.

Each route names one of these functions.  It looks up what the path names,
enforces the rule of the route, and returns what it found for the controller,
so that no controller is reached before the rule was enforced.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api.service import Service
from console_api.directory.base import Server
from console_api.policies import servers
from console_api.policy import access
from console_api.sessions.listing import ListedSession
from console_api.tokens.manager import ConnectionInfo

T = TypeVar("T")

#: Called with the service, the caller, the policy rule and the variables of
#: the path.
Target: TypeAlias = Callable[
    [Service, RequestContext, str, Mapping[str, str]], T
]


def server(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> Server:
    """Return the server that the path names, in lowercase or uppercase.

    The rule is checked against the server's project.  A server of another
    project than the caller's requires ``servers.ALL_TENANTS`` as well, however
    lax the rule is.

    :raises Forbidden: the rule refuses, and the server belongs to the
        caller's project
    :raises ServerNotFound: there is no such server; or a rule refuses, and
        the server belongs to another project, whose servers the caller must
        not learn of
    """
    found = service.directory.get(path["server_id"].lower())
    allows = service.enforcer.allows
    if not access.may_reach(allows, caller, rule, found.project_id):
        if found.project_id == caller.project_id:
            raise errors.Forbidden(rule)
        raise errors.ServerNotFound(found.uuid)
    return found


def visible_server(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> Server | None:
    """Return the server that the path names, None if it is not found.

    The rule is checked as by ``server``.

    :raises Forbidden: the rule refuses, and the server belongs to the
        caller's project
    """
    try:
        return server(service, caller, rule, path)
    except errors.ServerNotFound:
        return None


def console_auth_token(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> ConnectionInfo:
    """Return the connection info of the token that the path names.

    The rule is checked twice: before the look-up against the caller's own
    project, so that a caller without the role does not learn whether a token
    exists, and then against the project of the token's server.

    :raises Forbidden: the rule refuses for the caller's own project
    :raises TokenNotFound: the token is not valid, or the rule refuses for
        its server's project; or only the gateway honors it, because it is
        view-only or was used up
    """
    allows = service.enforcer.allows
    if not access.may_begin(allows, caller, rule):
        raise errors.Forbidden(rule)
    info = service.tokens.check(path["console_token"].encode("latin-1"))
    if info.view_only or info.is_used:
        raise errors.TokenNotFound
    if not access.may_reach(allows, caller, rule, info.project_id):
        raise errors.TokenNotFound
    return info


def revocable_token(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> bytes:
    """Return the token that the path names, if the caller may revoke it.

    The rule is checked against the project of the token's server, as by
    ``server``.  The directory is not asked, so that tokens can be revoked
    while it is unavailable: if the server has moved to another project since,
    its tokens are not honored any more.

    :raises TokenNotFound: the token is not valid, or a rule refuses: a caller
        must not learn which tokens exist
    """
    token = path["console_token"].encode("latin-1")
    info = service.tokens.find(token)
    allows = service.enforcer.allows
    if not access.may_reach(allows, caller, rule, info.project_id):
        raise errors.TokenNotFound
    return token


def session(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> ListedSession:
    """Return the session that the path names.

    The rule is checked against the project that the server had when the
    session was opened, as by ``server``.

    :raises Forbidden: the rule refuses, and the session belongs to the
        caller's project
    :raises SessionNotFound: there is no such session; or a rule refuses, and
        it belongs to another project
    """
    session_id = path["session_id"].lower()
    found = service.session_listing.get(session_id)
    allows = service.enforcer.allows
    if not access.may_reach(allows, caller, rule, found.project_id):
        if found.project_id == caller.project_id:
            raise errors.Forbidden(rule)
        raise errors.SessionNotFound(session_id)
    return found


class ListedProjects:
    """The projects whose resources the caller of a list may see.

    Those of the caller's own project, and with ``servers.ALL_TENANTS`` those
    of other projects that the rule of the list allows as well.
    """

    def __init__(
        self, service: Service, caller: RequestContext, rule: str
    ) -> None:
        """Decide for a caller.

        :param rule: the rule of the list, which allows the own project
        """
        self._allows = service.enforcer.allows
        self._caller = caller
        self._rule = rule

    @property
    def own(self) -> str | None:
        """The caller's own project."""
        return self._caller.project_id

    def check_all(self) -> None:
        """Check whether the caller may ask for other projects at all.

        :raises Forbidden: ``servers.ALL_TENANTS`` refuses
        """
        if not access.may_list_others(self._allows, self._caller, self._rule):
            raise errors.Forbidden(servers.ALL_TENANTS)

    def is_all_tenants(self, project_id: str | None) -> bool:
        """Return whether ``servers.ALL_TENANTS`` allows a project."""
        return self._allows(self._caller, servers.ALL_TENANTS, project_id)

    def includes(self, project_id: str) -> bool:
        """Return whether the caller may see the resources of a project."""
        return access.may_reach(
            self._allows, self._caller, self._rule, project_id
        )


def listed_projects(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],
) -> ListedProjects:
    """Return the projects whose resources the caller may list.

    :raises Forbidden: the rule refuses for the caller's own project
    """
    own_project(service, caller, rule, path)
    return ListedProjects(service, caller, rule)


def own_project(
    service: Service,
    caller: RequestContext,
    rule: str,
    path: Mapping[str, str],  # noqa: ARG001 (part of the signature)
) -> None:
    """Check the rule against the caller's project, for what has no project.

    :raises Forbidden: the rule refuses
    """
    if not access.may_begin(service.enforcer.allows, caller, rule):
        raise errors.Forbidden(rule)
