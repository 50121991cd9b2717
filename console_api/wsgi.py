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
from console_api.api.middleware.chunked_input import ChunkedInputFilter

try:
    # There is none outside of a process of uWSGI.
    import uwsgi
except ImportError:
    uwsgi = None

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def _load() -> "WSGIApplication":
    config_dir = configuration.config_dir()
    try:
        conf = pipeline.load_conf(str(config_dir))
        log.setup(conf, configuration.PROJECT)
        app = pipeline.load_application(config_dir)
    except errors.ConfigurationError as error:
        # Without its causes: the sentence is what an operator needs to read.
        raise errors.ConfigurationError(
            f"console_api does not start. {error}"
        ) from None
    return (
        app if uwsgi is None else ChunkedInputFilter(app, uwsgi.chunked_read)
    )


application = _load()
