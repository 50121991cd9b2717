# SPDX-License-Identifier: Apache-2.0
"""Lists that are returned in pages."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from console_api.api.request import Request
from console_api.api.response import Response, render_json


def limit_of(request: Request[Any]) -> int:
    """Return the maximum number of items in a page."""
    maximum = request.service.max_limit
    return min(int(request.query.get("limit", maximum)), maximum)


def render_page(
    request: Request[Any],
    name: str,
    items: Sequence[object],
    next_marker: object,
) -> Response:
    """Return a response with a page, and the link to the next one.

    :param name: of the list in the document
    :param next_marker: the ID after which the next page starts, None if this
        is the last page
    """
    document: dict[str, object] = {name: items}
    if next_marker is not None:
        query = urlencode({**request.query, "marker": next_marker})
        document[f"{name}_links"] = [
            {"rel": "next", "href": f"{request.url()}?{query}"}
        ]
    return render_json(document)
