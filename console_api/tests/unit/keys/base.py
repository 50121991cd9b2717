# SPDX-License-Identifier: Apache-2.0
"""A folder for keys."""

from cryptography import fernet

from console_api.tests.unit import base


class KeysCase(base.FolderCase):
    """Gives each test a folder for keys, which does not exist yet."""

    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / "keys"

    def put(self, *numbers: int) -> None:
        """Create keys with these numbers."""
        self.keys.mkdir(mode=0o700, exist_ok=True)
        for number in numbers:
            path = self.keys / str(number)
            path.write_bytes(fernet.Fernet.generate_key())
            path.chmod(0o600)

    def names(self) -> list[str]:
        return sorted(
            path.name
            for path in self.keys.iterdir()
            if not path.name.startswith(".")
        )

    def content(self) -> dict[str, bytes]:
        return {name: (self.keys / name).read_bytes() for name in self.names()}

    def clear(self) -> None:
        for path in self.keys.iterdir():
            path.unlink()
