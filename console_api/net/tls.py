# SPDX-License-Identifier: Apache-2.0
"""TLS contexts whose certificates are read again when they change."""

import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from console_api import errors
from console_api.file_stamps import stamp

LOG = logging.getLogger(__name__)

# Seconds before files that could not be read are read again although they
# look unchanged: the cause, such as a lack of file descriptors, may be over.
_RETRY_INTERVAL = 1.0

_Stamp = tuple[int, ...] | None


class ReloadingContext:
    """A TLS context that is created again when one of its files changes.

    If the changed files cannot be used, the context in force stays.
    """

    def __init__(
        self,
        options: str,
        files: Sequence[str],
        create: Callable[[], ssl.SSLContext],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the context.

        :param options: the names of the options that name the files, for
            messages
        :param files: what ``create`` reads
        :param create: creates the context; may raise ``OSError`` or
            ``ValueError``
        :param clock: returns seconds
        :raises ConfigurationError: the files cannot be used
        """
        self._options = options
        self._files = [Path(file) for file in files]
        self._create = create
        self._clock = clock
        self._error: str | None = None
        self._retry_at = 0.0
        # Before the files are read: a change while they are is found later.
        self._stamps = self._read_stamps()
        try:
            self._context = self._read()
        except (OSError, ValueError) as error:
            raise errors.ConfigurationError(
                f"{options} cannot be used: {error}"
            ) from error

    def get(self) -> ssl.SSLContext:
        """Return the context to use for a new connection.

        Checks the files, which costs a system call for each.
        """
        stamps = self._read_stamps()
        is_changed = stamps != self._stamps
        if is_changed or (
            self._error is not None and self._clock() >= self._retry_at
        ):
            self._stamps = stamps
            self._reload()
        return self._context

    def _reload(self) -> None:
        error = self._try_to_read()
        if error is None:
            LOG.info("Reloaded the files of %s.", self._options)
        elif error != self._error:
            LOG.error(
                "%s cannot be used: %s. The certificates that were read "
                "before stay in force.",
                self._options,
                error,
            )
        self._error = error
        self._retry_at = self._clock() + _RETRY_INTERVAL

    def _try_to_read(self) -> str | None:
        """Replace the context; return the reason if that fails."""
        try:
            self._context = self._read()
        except (OSError, ValueError) as error:
            return str(error)
        return None

    def _read(self) -> ssl.SSLContext:
        for file in self._files:
            # The errors of OpenSSL do not name the file.
            file.open("rb").close()
        return self._create()

    def _read_stamps(self) -> list[_Stamp]:
        return [_stamp(file) for file in self._files]


def load_certificate(
    context: ssl.SSLContext, certificate_file: str, key_file: str | None
) -> None:
    """Load a certificate and its private key into a context.

    :param key_file: by default, the key is in the file of the certificate
    :raises OSError: a file cannot be read or is invalid, or the private key
        does not belong to the certificate
    :raises ValueError: the private key is encrypted
    """
    context.load_cert_chain(certificate_file, key_file, _refuse_passphrase)


def _refuse_passphrase() -> str:
    # Without this function, OpenSSL asks for it on the terminal.
    raise ValueError("the private key must not be encrypted")


def _stamp(file: Path) -> _Stamp:
    """Return what changes whenever a file does; None if it cannot be read."""
    try:
        return stamp(file.stat())
    except OSError:
        return None
