# SPDX-License-Identifier: Apache-2.0
"""``application``, for any WSGI server.

The environment variable ``OS_CONSOLE_API_CONFIG_DIR`` names the folder of
the configuration; without it, that is ``/etc/console_api``.  The command
line belongs to the server and is not read.
"""

from oslo_log import log

from console_api import conf as configuration
from console_api.api import pipeline

_config_dir = configuration.config_dir()
log.setup(configuration.load(_config_dir), configuration.PROJECT)

application = pipeline.load_application(_config_dir)
