# gunicorn --config gunicorn.conf.py; see the guide "Deploy".

import os

wsgi_app = "console_api.wsgi:application"

# For the proxy on this machine alone, which ends TLS.
bind = "127.0.0.1:9890"

# Processes, which share nothing, and threads of each.
workers = len(os.sched_getaffinity(0))
threads = 8

# Each worker loads the application itself, after it was forked.
preload_app = False

# Seconds that a worker may be stuck, that requests under way may take when it
# is to end, and that an idle connection of the proxy is kept. Longer than the
# service waits for its database.
timeout = 60
graceful_timeout = 30
keepalive = 75

# What shows that workers live is not written to a disk.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True

# Headers of proxies are for the service to judge, by the option
# enable_proxy_headers_parsing.
forwarded_allow_ips = ""

# URLs have tokens in them; the service logs requests itself, without them.
# An access log needs a format without the request line.
accesslog = None
access_log_format = "%(h)s %(m)s %(s)s %({x-openstack-request-id}o)s"
