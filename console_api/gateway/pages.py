# SPDX-License-Identifier: Apache-2.0
"""The page, its files, and the headers that protect it."""

import functools
import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

#: Paths of the page: today's names of noVNC's, spice-html5's, and our own.
PAGES = {
    "/",
    "/vnc.html",
    "/vnc_auto.html",
    "/vnc_lite.html",
    "/spice_auto.html",
    "/serial.html",
}

_ASSETS = "/assets/"
_INDEX = "index.html"

# Of types that mimetypes takes from files of the system, if at all.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Caches must not send a compressed file to others.
    "Vary": "Accept-Encoding",
}

# Higher ones take longer, and save hardly anything.
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class File:
    """A file as sent.

    It contains nothing of requests or users, so that the length of the
    compressed file tells nothing of them.
    """

    body: bytes
    headers: Mapping[str, str]

    @functools.cached_property
    def compressed(self) -> bytes:
        """The body, compressed with gzip."""
        return gzip.compress(self.body, _COMPRESSION_LEVEL, mtime=0)


class Pages:
    """The files of the page, which are read once."""

    def __init__(
        self, frame_ancestors: Iterable[str], folder: Traversable | None = None
    ) -> None:
        """Read the files.

        :param frame_ancestors: origins whose pages may show the page in a
            frame
        :param folder: by default, that of this package
        """
        folder = folder or resources.files("console_api.gateway") / "web"
        contents = dict(_read(folder))
        digest = hashlib.sha256()
        for name, body in sorted(contents.items()):
            digest.update(f"{name} {len(body)} ".encode() + body)
        # A new version has other addresses, so that a browser never mixes
        # cached modules of two versions.
        version = digest.hexdigest()[:16]
        index = contents.pop(_INDEX, b"The page is not installed.")
        self._page = File(
            index.replace(b'"assets/', f'"assets/{version}/'.encode()),
            page_headers(frame_ancestors),
        )
        self._assets = {
            f"{_ASSETS}{version}/{name}": File(body, _asset_headers(name))
            for name, body in contents.items()
        }

    def allow_frames(self, frame_ancestors: Iterable[str]) -> None:
        """Replace the origins whose pages may show the page in a frame."""
        self._page = File(self._page.body, page_headers(frame_ancestors))

    def find(self, path: str) -> File | None:
        """Return the file at a path, without the gateway's prefix."""
        return self._page if path in PAGES else self._assets.get(path)


def page_headers(frame_ancestors: Iterable[str]) -> dict[str, str]:
    """Return the headers of the page."""
    ancestors = " ".join(("'self'", *frame_ancestors))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}"
    )
    return {
        **_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
    }


def _asset_headers(name: str) -> dict[str, str]:
    suffix = f".{name.rpartition('.')[2]}"
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0]
    return {
        **_HEADERS,
        "Content-Type": kind or "application/octet-stream",
        "Cache-Control": "public, max-age=31536000, immutable",
    }


def _read(
    folder: Traversable, prefix: str = ""
) -> Iterable[tuple[str, bytes]]:
    """Return the names and contents of all files below a folder."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
