# SPDX-License-Identifier: Apache-2.0
"""Options of sessions through gateways."""

from oslo_config import cfg

GROUP = "sessions"


def _limit(scope: str, default: int) -> cfg.IntOpt:
    return cfg.IntOpt(
        f"max_per_{scope}",
        default=default,
        min=0,
        help=f"Maximum number of open sessions of a {scope}. 0 means no "
        "limit.",
    )


OPTS = [
    _limit("token", 10),
    _limit("user", 100),
    _limit("server", 20),
    _limit("project", 500),
    cfg.IntOpt(
        "max_per_gateway",
        default=0,
        min=0,
        help="Maximum number of open sessions of a worker of a gateway, in "
        "addition to its own `[gateway] max_sessions`. 0 means no limit.",
    ),
    cfg.IntOpt(
        "max_duration",
        default=43200,
        min=0,
        help="Time, in seconds, after which a session is closed. Resuming it "
        "does not extend it. 0 means no limit.",
    ),
    cfg.IntOpt(
        "idle_timeout",
        default=3600,
        min=0,
        help="Time, in seconds, without data in either direction after which "
        "a session is closed. 0 means no limit.",
    ),
    cfg.IntOpt(
        "resume_timeout",
        default=120,
        min=1,
        help="Time, in seconds, within which a browser whose connection was "
        "lost resumes its session, and within which a page that has exchanged "
        "its token connects.",
    ),
    cfg.IntOpt(
        "retention",
        default=30,
        min=1,
        help="Days for which `console-api-manage session purge` keeps closed "
        "sessions.",
    ),
]
