# gunicorn --config gunicorn.conf.py; see the guide "Deploy".

import os
import re

wsgi_app = "console_api.wsgi:application"

# Only for the proxy on this machine, which terminates TLS.
bind = "127.0.0.1:9890"

# Processes, which share nothing, and threads per process.
workers = len(os.sched_getaffinity(0))
threads = 8

# Load the application in each worker, after the fork.
preload_app = False

# In seconds: when an unresponsive worker is killed, how long requests may take
# during a shutdown, and how long idle connections of the proxy are kept. The
# timeout is longer than those of the database.
timeout = 60
graceful_timeout = 30
keepalive = 75

# Keep the heartbeat files of workers in memory.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True

# The service evaluates headers of proxies, if enable_proxy_headers_parsing is
# set.
forwarded_allow_ips = ""

# URLs contain tokens; the service logs requests itself, without tokens. The
# format of an access log must not contain the request line.
accesslog = None
access_log_format = "%(h)s %(m)s %(s)s %({x-openstack-request-id}o)s"

# The error log contains URLs too: of malformed requests, and of all requests
# at the level debug. What follows this path, and words as long as a token, are
# masked.
_token = re.compile(r"(?<=/os-console-auth-tokens/)[^/\s]+|[\w-]{43,}")


def _mask(record):
    record.msg, record.args = _token.sub("***", record.getMessage()), ()
    return True


def on_starting(server):
    """Mask tokens in the error log of the master and all workers."""
    server.log.error_log.addFilter(_mask)
