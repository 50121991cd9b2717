# SPDX-License-Identifier: Apache-2.0
"""The checks of oslo.middleware's health check application."""

from pathlib import Path

from oslo_config import cfg
from oslo_middleware.healthcheck import pluginbase

from console_api import errors
from console_api.api import pipeline
from console_api.db.health import HealthProbe


class DatabaseHealthcheck(pluginbase.HealthcheckBaseExtension):
    """Reports the service healthy while the database is read and written.

    Why it is not is shown only if ``[healthcheck] detailed`` is true, because
    anyone may send the request.
    """

    def __init__(
        self, oslo_conf: cfg.ConfigOpts, conf: dict[str, object]
    ) -> None:
        """Create the check, without connecting to the database."""
        super().__init__(oslo_conf, conf)
        self._probe = HealthProbe(oslo_conf)

    def healthcheck(
        self,
        server_port: int,  # noqa: ARG002 (part of oslo.middleware's contract)
    ) -> pluginbase.HealthcheckResult:
        """Examine the database, and how the last write has ended.

        A write that failed, such as on a full disk, does not make the service
        unhealthy: reads work, and nothing else shows when writes do again.
        """
        health = self._probe.run()
        if health.reads is not None:
            reason = str(errors.DatabaseUnavailable())
        elif health.writes is not None:
            reason = "The database accepts no writes."
        else:
            reason = "OK"
        details = [
            f"Reads: {health.reads or 'OK'}",
            f"Writes: {health.writes or 'OK'}",
        ]
        failure = pipeline.load_database(_folder(self.oslo_conf)).write_failure
        if failure is not None:
            at = failure.at.isoformat(timespec="seconds")
            details.append(f"Last write failed at {at}: {failure.reason}")
            if reason == "OK":
                reason = f"OK, but the last write failed at {at}."
        return pluginbase.HealthcheckResult(
            health.writes is None, reason, "\n".join(details)
        )


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
        enforcer = pipeline.load_enforcer(_folder(self.oslo_conf))
        failure = enforcer.state().failure
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


def _folder(conf: cfg.ConfigOpts) -> str:
    """Return the folder of a configuration, as the pipeline knows it."""
    return str(Path(conf.config_file[0]).parent)
