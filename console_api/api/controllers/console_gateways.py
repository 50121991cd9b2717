# SPDX-License-Identifier: Apache-2.0
"""Gateways: their heartbeats, and the sessions that have ended."""

import re
from typing import Any

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.api.schemas.console_sessions import UUID
from console_api.sessions.manager import Closed, Gateway, Traffic

# Behind all IDs of sessions.
_LAST = "g"

_UUID = re.compile(str(UUID["pattern"]))


def update(request: Request[None]) -> Response:
    """Record a heartbeat; return which sessions have to be cut.

    :raises InvalidInput: the ID of the gateway is not a UUID
    """
    report = request.body["gateway"]
    instructions = request.service.sessions.beat(
        Gateway(_gateway_id(request), report["name"], report["interval"]),
        [_traffic(each) for each in report["sessions"]],
        is_complete=report["complete"],
        bounds=(report.get("first", ""), report.get("last", _LAST)),
    )
    return render_json(
        {
            "gateway": {
                "report_all": instructions.report_all,
                "cut": [
                    {"id": cut.session_id, "reason": cut.reason}
                    for cut in instructions.cut
                ],
            }
        }
    )


def close(request: Request[None]) -> Response:
    """Record that sessions have ended.

    :raises InvalidInput: the ID of the gateway is not a UUID
    """
    request.service.sessions.close(
        _gateway_id(request),
        [
            Closed(_traffic(each), each["reason"])
            for each in request.body["sessions"]
        ],
    )
    return Response(204)


def _gateway_id(request: Request[None]) -> str:
    gateway_id = request.path["gateway_id"]
    if not _UUID.match(gateway_id):
        raise errors.InvalidInput(
            "Invalid input: the ID of a gateway is a UUID in lowercase."
        )
    return gateway_id


def _traffic(reported: dict[str, Any]) -> Traffic:
    return Traffic(
        reported["id"],
        reported["bytes_in"],
        reported["bytes_out"],
        reported.get("idle_seconds", 0),
    )
