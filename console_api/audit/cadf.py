# SPDX-License-Identifier: Apache-2.0
"""Audit events in CADF, the format that OpenStack's services share."""

import uuid
from typing import Any

from pycadf import attachment, cadftaxonomy, cadftype, event, host, resource
from pycadf import reason as cadf_reason

from console_api.audit.events import Event, Kind

_REASON_TYPE = "console_api"

# CADF identifies resources by UUIDs, also those that are unknown.
_UNKNOWN = str(uuid.UUID(int=0))


def render(audited: Event, observer: str) -> dict[str, Any]:
    """Return an event as a document.

    :param observer: the name of the gateway, or of the machine of the API
    """
    is_refused = audited.kind is Kind.REFUSE
    rendered = event.Event(
        eventType=cadftype.EVENTTYPE_ACTIVITY,
        action=audited.kind.action,
        outcome=(
            cadftaxonomy.OUTCOME_FAILURE
            if is_refused
            else cadftaxonomy.OUTCOME_SUCCESS
        ),
        initiator=resource.Resource(
            id=_identifier(audited.user_id),
            typeURI=cadftaxonomy.ACCOUNT_USER,
            name=audited.user_id,
            host=_host(audited),
        ),
        target=resource.Resource(
            id=_identifier(audited.server_id),
            typeURI="compute/machine",
        ),
        observer=resource.Resource(
            id=_identifier(observer),
            typeURI="service/compute/console",
            name=observer,
        ),
        reason=(
            None
            if audited.reason is None
            else cadf_reason.Reason(
                reasonType=_REASON_TYPE, reasonCode=audited.reason
            )
        ),
    )
    rendered.add_attachment(
        attachment.Attachment(
            typeURI="mime:application/json",
            content=audited.values(),
            name="console",
        )
    )
    document: dict[str, Any] = rendered.as_dict()
    return document


def _identifier(name: str | None) -> str:
    """Return an ID that is a UUID, or a UUID for another one."""
    if name is None:
        return _UNKNOWN
    try:
        uuid.UUID(name)
    except ValueError:
        # Such as the ID of a user in LDAP; it is in the event as well.
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    return name


def _host(audited: Event) -> host.Host | None:
    if audited.client_address is None:
        return None
    return host.Host(address=audited.client_address)
