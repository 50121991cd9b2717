# SPDX-License-Identifier: Apache-2.0
"""Log of the consoles that are served, or cannot be."""

import logging
from collections.abc import Mapping

from console_api.agent.drivers.base import Console

LOG = logging.getLogger(__name__)


def log_changes(
    served_before: Mapping[int, Console],
    failed_before: Mapping[int, str],
    consoles: Mapping[int, Console],
    failed: Mapping[int, str],
) -> None:
    """Log each console that has changed, once.

    :param served_before: the consoles applied before, by ID
    :param failed_before: why some of them could not be served
    :param consoles: the consoles applied now
    :param failed: why some of them cannot be served
    """
    for console_id in served_before.keys() - consoles.keys():
        LOG.info("Console %d is no longer served.", console_id)
    for console_id, reason in failed.items():
        if failed_before.get(console_id) != reason:
            LOG.error("Console %d cannot be served: %s", console_id, reason)
    for console_id, console in consoles.items():
        if console_id in failed:
            continue
        if (
            served_before.get(console_id) != console
            or console_id in failed_before
        ):
            LOG.info(
                "Console %d of server %s is served%s.",
                console_id,
                console.server_id,
                "" if console.port is None else f" on port {console.port}",
            )
