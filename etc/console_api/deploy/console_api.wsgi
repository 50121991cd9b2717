# For mod_wsgi, which does not inherit the environment of Apache.

import os

os.environ["OS_CONSOLE_API_CONFIG_DIR"] = "/etc/console_api"

from console_api.wsgi import application  # noqa: E402, F401
