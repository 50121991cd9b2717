# SPDX-License-Identifier: Apache-2.0
"""Commands to copy, which the quickstart prints when it is ready."""

import shlex
import sys
from pathlib import Path

from console_api.cmd.quickstart.requests import create_remote_console
from console_api.cmd.quickstart.state import (
    CLOUDS_FILE,
    HOST,
    PROJECT_ID,
    SERVER_ID,
)

_TEXT = """\
Ready: {url}

Open the screen of the sample server in a browser. Each URL opens once, within
ten minutes; then the page reconnects by itself:

  {screen_url}

Its serial console:

  {serial_url}

To get another URL, also after reloading the page, run this in another
terminal:

  curl -s -X POST -H 'X-Auth-Token: user:{project}' \
-H 'OpenStack-API-Version: compute 2.6' -H 'Content-Type: application/json' \
-d '{{"remote_console": {{"protocol": "vnc", "type": "novnc"}}}}' \
{url}/v2.1/servers/{server}/remote-consoles

List the open sessions, and cut one of them by its ID:

  curl -s -H 'X-Auth-Token: user:{project}' {url}/v2.1/os-console-sessions
  curl -i -X DELETE -H 'X-Auth-Token: user:{project}' \
{url}/v2.1/os-console-sessions/ID

For a VNC viewer, save the screen as a picture:

  {screen}

The sample server {server} is in project {project}.
The value of X-Auth-Token is USER:PROJECT; the user admin is an administrator,
all others are members. Create a console and list the consoles of the server:

  curl -i -X POST -H 'X-Auth-Token: user:{project}' {consoles}
  curl -s -H 'X-Auth-Token: user:{project}' {consoles}

Show the console with the ID 1, with its password (a DELETE request to this
URL deletes it):

  curl -s -H 'X-Auth-Token: user:{project}' {consoles}/1

Use the openstack command instead, after `pip install {client}`
in a virtual environment:

  export OS_CLIENT_CONFIG_FILE={clouds}
  openstack --os-cloud quickstart server console create --wait {server}
  openstack --os-cloud quickstart server console list {server}
  openstack --os-cloud quickstart-admin console host list

Configuration, database and log are in {state_dir}
To manage the service, run: {manage} --config-dir {state_dir} --help
Stop with Ctrl-C.
"""

# In a checkout: the script that captures the screen, and the client.
_CHECKOUT = Path(__file__).parents[3]
_SCREEN_SCRIPT = _CHECKOUT / "tools" / "screen.sh"
_CLIENT = _CHECKOUT / "client"

_MANAGE = str(Path(sys.executable).with_name("console-api-manage"))


def text(port: int, state_dir: Path) -> str:
    """Return commands to copy.

    :param port: the port of the API
    """
    url = f"http://{HOST}:{port}"
    deleted = "(The sample server was deleted.)"
    return _TEXT.format(
        url=url,
        server=SERVER_ID,
        project=PROJECT_ID,
        screen_url=create_remote_console(port, "vnc", "novnc") or deleted,
        serial_url=create_remote_console(port, "serial", "serial") or deleted,
        consoles=f"{url}/v2.1/servers/{SERVER_ID}/consoles",
        state_dir=shlex.quote(str(state_dir)),
        manage=shlex.quote(_MANAGE),
        screen=_screen_command(port),
        client=_client(),
        clouds=shlex.quote(str(state_dir / CLOUDS_FILE)),
    )


def _client() -> str:
    if _CLIENT.exists():
        return shlex.quote(str(_CLIENT))
    return "console-api-client"


def _screen_command(port: int) -> str:
    if _SCREEN_SCRIPT.exists():
        return f"{shlex.quote(str(_SCREEN_SCRIPT))} screen.png {port}"
    return "vncviewer HOST::PORT    (of its console, which is created below)"
