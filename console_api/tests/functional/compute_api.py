# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a compute API with console_api as its filter.

It has one server, found by id and name, with a console log.
"""

import json
from pathlib import Path

import webob

from console_api.tests.functional import configuration

SERVER_ID = "0b6f2c54-9d3a-4c7e-8a51-7f6d2e9c4b13"
NAME = "known-by-name"
LOG = "Welcome to this server."

_OPERATIONS = """[app:operations]
paste.app_factory = console_api.api.pipeline:api_factory
"""

_FILTERED = f"""[pipeline:operations]
pipeline = consoles compute_api

[filter:consoles]
paste.filter_factory = console_api.api.pipeline:filter_factory

[app:compute_api]
paste.app_factory = {__name__}:factory
"""


def write_paste_file() -> Path:
    """Write a paste file with the stand-in behind the filter."""
    text = configuration.PASTE_FILE.read_text()
    assert _OPERATIONS in text
    path = configuration.temporary_folder() / "api-paste.ini"
    path.write_text(text.replace(_OPERATIONS, _FILTERED))
    return path


def factory(_global_conf, **_local):
    """Return the application; called by PasteDeploy."""
    return _respond


def _respond(environ, start_response):
    request = webob.Request(environ)
    document = _document(request)
    response = webob.Response(
        json.dumps(document or {"itemNotFound": {"code": 404, "message": ""}}),
        status=200 if document else 404,
        content_type="application/json",
        charset="UTF-8",
    )
    return response(environ, start_response)


def _document(request):
    server = {"id": SERVER_ID, "name": NAME}
    match request.method, request.path_info:
        case "GET", "/servers/detail":
            found = request.GET["name"] in NAME
            return {"servers": [server] if found else []}
        case "GET", path if path == f"/servers/{SERVER_ID}":
            return {"server": server}
        case "POST", path if path == f"/servers/{SERVER_ID}/action":
            return {"output": LOG}
    return None
