# SPDX-License-Identifier: Apache-2.0
"""The servers to measure, on the configuration of a ``Stage``."""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import gunicorn_settings, programs, stage
from console_api import conf as configuration


def _server(
    application: str, name: str, subfolder: str = "."
) -> Callable[..., programs.GunicornServer]:
    def create(
        data: stage.Stage, port: int, workers: int = 1, threads: int = 4
    ) -> programs.GunicornServer:
        folder = data.folder / f"{name}-{port}"
        folder.mkdir()
        return programs.GunicornServer(
            application,
            python=Path(sys.executable),
            folder=folder,
            port=port,
            workers=workers,
            threads=threads,
            variables={
                configuration.ENVIRONMENT: str(data.folder / subfolder),
                gunicorn_settings.DATABASE_URL: data.url,
                "PYTHONPATH": str(stage.ROOT),
            },
        )

    return create


#: Return the programs to measure; they start with a ``with`` block.
console_api_server = _server("console_api.wsgi:application", "console_api")
logging_server = _server(
    "console_api.wsgi:application", stage.LOGGING, stage.LOGGING
)
bare_server = _server("benchmarks.bare:application", "bare")
empty_server = _server("benchmarks.empty:application", "empty")
