# SPDX-License-Identifier: Apache-2.0
"""Operations that personas try, and how."""

from typing import Any

from console_api.tests.functional import base
from console_api.tests.functional.client import Client, Reply

RULES = {
    "list": "os_compute_api:os-consoles:index",
    "create": "os_compute_api:os-consoles:create",
    "show": "os_compute_api:os-consoles:show",
    "delete": "os_compute_api:os-consoles:delete",
    "remote": "os_compute_api:os-remote-consoles",
    "action": "os_compute_api:os-remote-consoles",
    "look up": "os_compute_api:os-console-auth-tokens",
    "list hosts": "os_compute_api:os-console-hosts:index",
}

REMOTE = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
ACTION = {"os-getVNCConsole": {"type": "novnc"}}


class PersonaTestCase(base.FunctionalTestCase):
    """Tests with a server, a console of it and a console auth token."""

    def make_what_is_tried(self) -> None:
        """Make them as the administrator."""
        self.server_id, self.console_id = self.make_console()
        self.token = self.issue_token(self.server_id)

    def perform(
        self, client: Client, operation: str, server_id: str | None = None
    ) -> Reply:
        """Let somebody try an operation on a server."""
        server = f"/servers/{server_id or self.server_id}"
        console = f"{server}/consoles/{self.console_id}"
        token = f"/os-console-auth-tokens/{self.token}"
        method, path, body, version = {
            "list": ("GET", f"{server}/consoles", None, None),
            "create": ("POST", f"{server}/consoles", None, None),
            "show": ("GET", console, None, None),
            "delete": ("DELETE", console, None, None),
            "remote": ("POST", f"{server}/remote-consoles", REMOTE, "2.6"),
            "action": ("POST", f"{server}/action", ACTION, "2.5"),
            "look up": ("GET", token, None, "2.31"),
            "list hosts": ("GET", "/os-console-hosts", None, None),
        }[operation]
        return client.request(method, path, body=body, version=version)

    def renew_console(self) -> None:
        """Make the console again if it has been deleted."""
        self.admin.post(f"/servers/{self.server_id}/consoles")
        [row] = self.console_rows(self.server_id)
        self.console_id = row.id

    def state(self) -> Any:
        """Return what is stored of the server."""
        return (
            self.console_rows(self.server_id),
            self.count_tokens(self.server_id),
        )

    def check_refusal(self, operation: str, reply: Reply) -> None:
        """Check that a 403 names the rule."""
        rule = RULES[operation]
        message = f"Policy doesn't allow {rule} to be performed."
        self.assert_fault(reply, 403, message)
