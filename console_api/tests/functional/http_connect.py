# SPDX-License-Identifier: Apache-2.0
"""An HTTP server with CONNECT to displays, as in XenServer, for tests."""

import contextlib
import http.server
import socket
import ssl
import threading

from console_api.tests.certificates import Authority


class ConnectServer:
    """Answers CONNECT requests."""

    def __init__(
        self, ports: dict[str, int], tls: Authority | None = None
    ) -> None:
        """Create the server; it serves inside a ``with`` statement.

        :param ports: ports of displays on this machine, by path
        """

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                port = ports.get(self.path)
                if port is None:
                    self.send_error(404)
                    return
                self.send_response(200, "Connection established")
                self.end_headers()
                with socket.create_connection(("127.0.0.1", port)) as display:
                    back = threading.Thread(
                        target=_copy, args=(display, self.connection)
                    )
                    back.start()
                    _copy(self.connection, display)
                    back.join()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler
        )
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate_file, tls.key_file)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
