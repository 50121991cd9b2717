# SPDX-License-Identifier: Apache-2.0
"""The checks of oslo.middleware's health check application."""

from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg
from oslo_middleware.healthcheck import pluginbase

from console_api import errors
from console_api.api import pipeline
from console_api.db.engine import Database

_PROBE = sa.select(sa.literal(1))


class DatabaseHealthcheck(pluginbase.HealthcheckBaseExtension):
    """Reports the service healthy while the database is available."""

    def __init__(
        self, oslo_conf: cfg.ConfigOpts, conf: dict[str, object]
    ) -> None:
        """Create the check, without connecting to the database."""
        super().__init__(oslo_conf, conf)
        self._database = Database(oslo_conf)

    def healthcheck(
        self,
        server_port: int,  # noqa: ARG002 (part of oslo.middleware's contract)
    ) -> pluginbase.HealthcheckResult:
        """Run a query that needs no table, on a new connection.

        A pooled connection would still read a deleted SQLite file, and would
        not show whether new connections can be established.
        """
        try:
            self._database.read(_PROBE, int)
        except errors.DatabaseUnavailable as error:
            return pluginbase.HealthcheckResult(False, str(error))
        finally:
            self._database.close()
        return pluginbase.HealthcheckResult(True, "OK")


class PolicyHealthcheck(pluginbase.HealthcheckBaseExtension):
    """Shows whether the policy files are in force.

    Broken ones do not make the service unhealthy, because it continues with
    the previous rules.  What is wrong is shown only if ``[healthcheck]
    detailed`` is true, because anyone may send the request.
    """

    def healthcheck(
        self,
        server_port: int,  # noqa: ARG002 (part of oslo.middleware's contract)
    ) -> pluginbase.HealthcheckResult:
        """Return the state of the worker that processes the request."""
        folder = Path(self.oslo_conf.config_file[0]).parent
        failure = pipeline.load_enforcer(str(folder)).failure()
        if failure is None:
            # No reason, so that the response is one line.
            return pluginbase.HealthcheckResult(True, "")
        since = failure.since.isoformat(timespec="seconds")
        return pluginbase.HealthcheckResult(
            True,
            "The policy files are refused. The previous rules stay in force "
            f"since {since}.",
            "\n".join(failure.lines),
        )
