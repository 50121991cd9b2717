# SPDX-License-Identifier: Apache-2.0
"""``application``, for any WSGI server.

The environment variable ``OS_CONSOLE_API_CONFIG_DIR`` names the folder of
the configuration; without it, that is ``/etc/console_api``.  The command
line belongs to the server and is not read.
"""

from typing import TYPE_CHECKING

from oslo_log import log

from console_api import conf as configuration
from console_api import errors
from console_api.api import pipeline

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def _load() -> "WSGIApplication":
    config_dir = configuration.config_dir()
    try:
        conf = pipeline.load_conf(str(config_dir))
        log.setup(conf, configuration.PROJECT)
        return pipeline.load_application(config_dir)
    except errors.ConfigurationError as error:
        # Without its causes: the sentence is what an operator needs to read.
        raise errors.ConfigurationError(
            f"console_api does not start. {error}"
        ) from None


application = _load()
