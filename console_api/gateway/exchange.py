# SPDX-License-Identifier: Apache-2.0
"""The exchange of a token for a secret, by the script of the page.

A GET never uses a token up: mail scanners and previews of chats request the
URLs that they find.
"""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web
from oslo_config import cfg

from console_api.gateway import credentials, origins, responses
from console_api.gateway.brokers.base import (
    Broker,
    Credential,
    Grant,
    Refused,
)
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.observers import Observer
from console_api.gateway.proxies import Source

# Longer bodies are refused, in bytes.
_MAX_BODY_SIZE = 4096


class Exchange:
    """Answers requests of the gateway's own page for a secret."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        broker: Broker,
        observers: Sequence[Observer],
    ) -> None:
        """Prepare."""
        self._broker = broker
        self._observers = observers
        self._cookie_path = f"{conf.gateway.path_prefix}/"
        self._is_view_only = conf.gateway.view_only
        self._timeout = conf.gateway.handshake_timeout

    async def answer(
        self, request: web.BaseRequest, source: Source
    ) -> web.StreamResponse:
        """Answer a request.

        :param source: where it comes from
        """
        if request.method != "POST":
            return responses.plain(
                HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}
            )
        if not _is_same_origin(request, source):
            return responses.plain(
                HTTPStatus.FORBIDDEN, "The origin is not allowed."
            )
        credential = await self._read_credential(request)
        if credential is None:
            reason = CloseReason.INVALID_TOKEN
            return responses.refused(
                Refused(reason, "The request is malformed."),
                HTTPStatus.BAD_REQUEST,
            )
        try:
            grant = await self._broker.exchange(credential, source.client)
        except Refused as refusal:
            for observer in self._observers:
                observer.refused(source.client, refusal, None)
            return responses.refused(refusal)
        return self._grant(grant, source)

    def _grant(self, grant: Grant, source: Source) -> web.Response:
        """Return a response with the secret: in a cookie, over HTTPS."""
        key = credentials.new_key(grant.console_type)
        headers = {}
        if source.is_secure:
            headers["Set-Cookie"] = credentials.cookie(
                key, grant, self._cookie_path
            )
        return responses.document(
            {
                "console": key,
                "secret": None if source.is_secure else grant.secret,
                "console_type": grant.console_type,
                "view_only": grant.view_only or self._is_view_only,
                "exclusive": grant.exclusive,
                "resume_timeout": grant.resume_timeout,
            },
            headers,
        )

    async def _read_credential(
        self, request: web.BaseRequest
    ) -> Credential | None:
        """Return the token in a request's body; None if it is malformed."""
        if request.content_type != "application/json":
            return None
        body = b""
        try:
            async with asyncio.timeout(self._timeout):
                while not request.content.at_eof():
                    body += await request.content.read(_MAX_BODY_SIZE)
                    if len(body) > _MAX_BODY_SIZE:
                        return None
            return credentials.read(json.loads(body))
        except (TimeoutError, ValueError, RecursionError):
            return None


def _is_same_origin(request: web.BaseRequest, source: Source) -> bool:
    """Return whether a request comes from the gateway's page.

    Browsers send at least one of the headers; other clients need not.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not origins.is_same(
        origin, source.scheme, source.host
    ):
        return False
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin"
