# SPDX-License-Identifier: Apache-2.0
"""A request as controllers see it: authenticated, authorized and parsed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from microversion_parse import Version
from oslo_context.context import RequestContext

from console_api.api.service import Service

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request to an operation.

    ``target`` is what the path names, such as a server; the policy allows
    the caller to perform the operation on it.  ``path`` holds the variables
    of the path as WSGI passes them (the bytes sent, decoded as Latin-1),
    ``query`` the first value of each parameter.  ``body`` is the parsed JSON
    document, which fits the schema of the route, or None.  ``url`` returns the
    URL of the request without its query, for links.  ``remote_address`` is
    where it comes from: the client, or a proxy.
    """

    service: Service
    context: RequestContext
    version: Version
    target: T
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    url: Callable[[], str]
    remote_address: str | None = None
