# SPDX-License-Identifier: Apache-2.0
"""What the tests of policies share: files, an enforcer and callers."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from oslo_context.context import RequestContext
from oslo_policy import _checks

from console_api.policies import consoles
from console_api.policy import check, loader, reader
from console_api.policy.enforcer import Enforcer
from console_api.tests import waiting
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT

INDEX = consoles.INDEX


def rule(check: str, name: str = INDEX) -> str:
    """Return the line of a policy file that sets a rule."""
    return f'"{name}": "{check}"\n'


def checks_of(text: str) -> Mapping[str, _checks.BaseCheck]:
    """Return the checks of a policy file."""
    document = reader.read(Path("policy.yaml"), f"# rules\n{text}".encode())
    return check.check([document]).checks


def caller(
    *roles: str, project: str | None = PROJECT, **more: Any
) -> RequestContext:
    """Return the context of a caller with these roles."""
    return RequestContext(
        user_id="a-user",
        project_id=project,
        roles=list(roles),
        overwrite=False,
        **more,
    )


def failing_checks() -> contextlib.AbstractContextManager[object]:
    """Let comparisons raise an exception."""
    return mock.patch.object(
        _checks.GenericCheck, "__call__", side_effect=TypeError("broken")
    )


class PolicyCase(base.FolderCase):
    """Each test has a policy file and a clock of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "policy.yaml"
        self.directory = self.folder / "policy.d"
        self.now = 1000.0
        self.enterContext(
            mock.patch.object(
                loader, "time", SimpleNamespace(monotonic=lambda: self.now)
            )
        )
        # Loading takes longer on a busy machine.
        self.enterContext(
            mock.patch.object(loader, "LOAD_TIMEOUT", waiting.TIMEOUT)
        )

    def load(self, text: str = "") -> Enforcer:
        """Write the policy file and return an enforcer that has loaded it."""
        conf = base.load_conf(self.folder)
        self.path.write_text(text)
        return Enforcer(conf)

    def edit(self, path: Path, text: str) -> None:
        """Replace a file, and let time pass."""
        draft = self.folder / "draft"
        draft.write_text(text)
        draft.rename(path)
        self.pass_time()

    def pass_time(self) -> None:
        """Let as much time pass as an edit may take to take effect."""
        self.now += loader.LOOK_INTERVAL

    def may(self, enforcer: Enforcer, role: str) -> bool:
        """Return whether a role may list the consoles of its project."""
        return enforcer.allows(caller(role), INDEX, PROJECT)
