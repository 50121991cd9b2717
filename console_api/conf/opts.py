# SPDX-License-Identifier: Apache-2.0
"""The entry point of oslo.config's tools (sample files, validation)."""

from oslo_config import cfg

from console_api import conf


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return our own options by group; libraries list theirs themselves."""
    return [(group.GROUP, list(group.OPTS)) for group in conf.GROUPS]
