# SPDX-License-Identifier: Apache-2.0
"""Chunked request bodies, for WSGI servers that leave them encoded.

uWSGI provides the body of a request with ``Transfer-Encoding: chunked``
through the function ``uwsgi.chunked_read``.  Other servers decode it, and set
``wsgi.input_terminated`` to tell that ``wsgi.input`` ends with the body.
"""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

    from _typeshed import WriteableBuffer


class ChunkedInputFilter:
    """Makes a chunked body readable like any other."""

    def __init__(
        self, app: "WSGIApplication", read_chunk: Callable[[], bytes]
    ) -> None:
        """Wrap an application.

        :param read_chunk: returns the next chunk of the body of the request
            that the current thread serves, and empty bytes at its end
        """
        self._app = app
        self._read_chunk = read_chunk

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input"] = io.BufferedReader(
                _Chunks(self._read_chunk)
            )
            environ["wsgi.input_terminated"] = True
        return self._app(environ, start_response)


class _Chunks(io.RawIOBase):
    def __init__(self, read_chunk: Callable[[], bytes]) -> None:
        super().__init__()
        self._read_chunk = read_chunk
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._rest:
            self._rest = self._read_chunk()
        with memoryview(buffer) as view:
            count = min(len(view), len(self._rest))
            view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
