# gunicorn --config gunicorn.conf.py; see the guide "Deploy".

import os
import re
import shutil
import tempfile

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


# Workers keep a copy of the policy files that are in force in the folder
# RUNTIME_DIRECTORY. While policy files are broken, a new worker continues with
# the copy; otherwise it could not start, and gunicorn would stop. systemd
# provides the folder; the second master after SIGUSR2 needs another one.
_folders = []


def on_starting(server):
    """Mask tokens in the error log, and provide the folder without systemd."""
    server.log.error_log.addFilter(_mask)
    if "RUNTIME_DIRECTORY" not in os.environ or "GUNICORN_PID" in os.environ:
        _folders.append(tempfile.mkdtemp(prefix="console_api-"))
        os.environ["RUNTIME_DIRECTORY"] = _folders[0]


def on_exit(server):  # noqa: ARG001 (gunicorn requires this signature)
    """Remove the folder; this runs only in the master."""
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
