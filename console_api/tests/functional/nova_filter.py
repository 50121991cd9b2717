# SPDX-License-Identifier: Apache-2.0
"""A real Nova API with our filter in its pipelines, as in the guide."""

import functools

from console_api.api import routes
from console_api.tests.functional import configuration, documentation
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.nova import API, Nova

#: The prefix where the filter has all resources, and ``noauth2``.
OURS = "/ours/v2.1"

_ROOT = "[composite:osapi_compute]"
_PIPELINE = "keystonecontext osapi_compute_app_v21"
_PIPELINE_V2 = "keystonecontext legacy_v2_compatible"

_OURS = """
[composite:ours]
use = call:nova.api.auth:pipeline_factory_v21
keystone = compute_req_id faultwrap sizelimit noauth2 keystonecontext
    console_api_ours osapi_compute_app_v21

[filter:noauth2]
paste.filter_factory = console_api.api.pipeline:noauth2_factory
config_dir = {folder}

[filter:console_api_ours]
paste.filter_factory = console_api.api.pipeline:filter_factory
config_dir = {folder}
"""


@functools.cache
def shared(cloud: Nova) -> API:
    """Return the API with the filter that the tests of a process share."""
    theirs = _write({"directory": {"driver": "pipeline"}})
    ours = _write({"filter": {"resources": ",".join(routes.RESOURCES)}})
    text = cloud.paste_file
    metrics, root = documentation.blocks("admin/monitoring", "ini")
    for before, after in (
        (_PIPELINE, _PIPELINE.replace(" ", " console_api ")),
        (_PIPELINE_V2, _PIPELINE_V2.replace(" ", " console_api_v2 ")),
        ("/v2.1/+:", f"{OURS}/+: ours\n/v2.1/+:"),
        (f"{_ROOT}\n", f"{root}\n"),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    filters = documentation.blocks("admin/nova", "ini")[0] + metrics
    return cloud.start_api(
        text
        + filters.replace("/etc/console_api", theirs)
        + _OURS.format(folder=ours),
        documentation.blocks("admin/directories", "yaml")[0],
    )


def _write(options: Options) -> str:
    folder = configuration.temporary_folder()
    database = configuration.migrated("mysql")
    return str(configuration.write(folder, database, options))
