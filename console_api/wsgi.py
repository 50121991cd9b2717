# SPDX-License-Identifier: Apache-2.0
"""``application``, for any WSGI server.

The environment variable ``OS_CONSOLE_API_CONFIG_DIR`` names the configuration
folder, which is ``/etc/console_api`` by default.  The command line belongs to
the WSGI server and is ignored.
"""

from typing import TYPE_CHECKING

from oslo_log import log

from console_api import conf as configuration
from console_api import errors
from console_api.api import loader, pipeline
from console_api.api.middleware.chunked_input import ChunkedInputFilter

try:
    # The module exists only in processes of uWSGI.
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
        app = loader.load_application(config_dir)
    except errors.ConfigurationError as error:
        # The message says what to do; a traceback of the causes would hide it.
        raise errors.ConfigurationError(
            f"console_api does not start. {error}"
        ) from None
    return (
        app if uwsgi is None else ChunkedInputFilter(app, uwsgi.chunked_read)
    )


application = _load()
