# SPDX-License-Identifier: Apache-2.0
from console_api_client.tests.base import CloudCase
from console_api_client.tests.cloud import fault

PATH = "console /os-console-locks"
LOCK = {
    "scope": "user",
    "name": "mallory",
    "reason": "Stolen password",
    "created_at": "2026-01-15T12:00:00+00:00",
}


class LockTests(CloudCase):
    def test_locks_are_listed(self) -> None:
        self.answers[f"GET {PATH}"] = (200, {"locks": [LOCK]})
        [row] = self.json("console", "lock", "list")
        self.assertEqual(
            {
                "Scope": "user",
                "Name": "mallory",
                "Reason": "Stolen password",
                "Created At": "2026-01-15T12:00:00+00:00",
            },
            row,
        )

    def test_lock_is_set_with_its_reason(self) -> None:
        request = f"PUT {PATH}/user/mallory"
        self.answers[request] = (200, {"lock": LOCK})
        self.openstack(
            *("console", "lock", "set", "user", "mallory"),
            *("--reason", "Stolen password"),
        )
        self.assertEqual(
            {"lock": {"reason": "Stolen password"}}, self.cloud.bodies[request]
        )

    def test_lock_is_deleted(self) -> None:
        request = f"DELETE {PATH}/host/compute-1"
        self.answers[request] = (204, None)
        self.openstack("console", "lock", "unset", "host", "compute-1")
        self.assertEqual([request], self.cloud.requests)

    def test_unknown_lock_is_refused(self) -> None:
        self.answers[f"DELETE {PATH}/host/compute-1"] = fault(
            404, "Lock of host compute-1 could not be found."
        )
        self.assert_refused(
            "Lock of host compute-1 could not be found.",
            *("console", "lock", "unset", "host", "compute-1"),
        )

    def test_unknown_scope_is_refused(self) -> None:
        outcome = self.openstack(
            *("console", "lock", "unset", "cell", "one"), status=2
        )
        self.assertIn("invalid choice: 'cell'", outcome.stderr)
