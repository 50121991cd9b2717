# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
from typing import Any

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import targets
from console_api.api.controllers import consoles
from console_api.db import console_problems, heartbeats, tables
from console_api.db import consoles as db_consoles
from console_api.db.heartbeats import AgentReport
from console_api.policies import consoles as policies
from console_api.policies import servers
from console_api.tests.unit import base
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tests.unit.base import (
    OTHER_PROJECT,
    PROJECT,
    SERVER,
    server_id,
)

ALL = {"all_projects": "true"}


class ListAllTest(ControllerCase):
    def setUp(self) -> None:
        super().setUp()
        for number in (2, 3):
            self.add_server(server_id(number), project_id=OTHER_PROJECT)
        for number in (1, 2, 3):
            db_consoles.insert(
                self.database,
                self.console_host(),
                base.new_console(server_id(number)),
            )
        self.ids = [row.id for row in self.rows(tables.consoles)]

    def list_all(
        self,
        query: dict[str, str] | None = None,
        *,
        role: str = "reader",
        project: str = PROJECT,
    ) -> Any:
        caller = RequestContext(
            user_id="a-user", project_id=project, roles=[role]
        )
        allowed = targets.listed_projects(
            self.service, caller, policies.LIST, {}
        )
        reply = consoles.list_all(self.request(allowed, query=query))
        self.assertEqual(200, reply.status)
        return json.loads(reply.body)

    def listed(self, *args: Any, **kwargs: Any) -> list[int]:
        return [
            console["id"]
            for console in self.list_all(*args, **kwargs)["consoles"]
        ]

    def write_policy(self, **rules: str) -> None:
        names = {"list_": policies.LIST, "all_tenants": servers.ALL_TENANTS}
        (self.folder / "policy.yaml").write_text(
            json.dumps({names[key]: rule for key, rule in rules.items()})
        )
        self.service = self.make_service()

    def fail_all(self) -> None:
        host = self.console_host()
        console_problems.replace(
            self.database,
            host.id,
            dict.fromkeys(self.ids, "Port 5900 is in use."),
        )
        heartbeats.record(
            self.database,
            host.id,
            AgentReport(
                "1.0.0", "vnc", served_revision=host.revision, failed_count=3
            ),
        )

    def test_console_is_shown_without_password(self) -> None:
        [row] = [
            row for row in self.rows(tables.consoles) if row.id == self.ids[0]
        ]
        [console] = self.list_all()["consoles"]
        created_at = console.pop("created_at")
        self.assertRegex(created_at, r"\A20\d\d-\S+\+00:00\Z")
        self.assertEqual(
            {
                "id": self.ids[0],
                "server_id": SERVER,
                "project_id": PROJECT,
                "console_type": "vnc",
                "instance_name": row.instance_name,
                "console_host": "console-1",
                "host": "console-1.example.org",
                "port": row.port,
                "state": "pending",
                "expires_at": None,
            },
            console,
        )

    def test_time_of_expiry_is_shown_in_utc(self) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                tables.consoles.update().values(expires_at=32503680000)
            )
        [console] = self.list_all()["consoles"]
        self.assertEqual("3000-01-01T00:00:00+00:00", console["expires_at"])

    def test_only_own_project_is_listed(self) -> None:
        one, two, three = self.ids
        for project, expected in (
            (PROJECT, [one]),
            (OTHER_PROJECT, [two, three]),
            ("unknown", []),
        ):
            for role in ("reader", "admin"):
                with self.subTest(project=project, role=role):
                    self.assertEqual(
                        expected, self.listed(role=role, project=project)
                    )
                    self.assertEqual(
                        expected,
                        self.listed(
                            {"all_projects": "false"},
                            role=role,
                            project=project,
                        ),
                    )

    def test_admin_lists_all_projects(self) -> None:
        self.assertEqual(self.ids, self.listed(ALL, role="admin"))

    def test_all_projects_are_refused_to_others(self) -> None:
        with self.assertRaisesRegex(errors.Forbidden, servers.ALL_TENANTS):
            self.list_all(ALL)

    def test_other_projects_require_both_rules(self) -> None:
        for rules, expected in (
            ({"all_tenants": "@"}, self.ids[:1]),
            ({"all_tenants": "@", "list_": "@"}, self.ids),
            (
                {"all_tenants": f"project_id:{PROJECT}", "list_": "@"},
                self.ids,
            ),
            (
                {
                    "all_tenants": f"'{PROJECT}':%(project_id)s",
                    "list_": "@",
                },
                self.ids[:1],
            ),
        ):
            with self.subTest(rules):
                self.write_policy(**rules)
                self.assertEqual(expected, self.listed(ALL))

    def test_refused_caller_lists_nothing(self) -> None:
        for query in ({}, ALL):
            with self.assertRaisesRegex(errors.Forbidden, policies.LIST):
                self.list_all(query, role="other")

    def test_reason_is_for_callers_who_may_list_all_projects(self) -> None:
        self.fail_all()
        [console] = self.list_all()["consoles"]
        self.assertEqual("failed", console["state"])
        self.assertNotIn("reason", console)
        for query, count in (({}, 1), (ALL, 3)):
            shown = self.list_all(query, role="admin")["consoles"]
            self.assertEqual(
                ["Port 5900 is in use."] * count,
                [console["reason"] for console in shown],
            )

    def test_filters_apply(self) -> None:
        self.fail_all()
        for query, expected in (
            ({"server_id": server_id(2).upper()}, [self.ids[1]]),
            ({"console_host": "console-1"}, self.ids),
            ({"console_host": "console-2"}, []),
            ({"console_type": "vnc"}, self.ids),
            ({"console_type": "vnc+xvp"}, []),
            ({"state": "failed"}, self.ids),
            ({"state": "serving"}, []),
        ):
            with self.subTest(query):
                self.assertEqual(
                    expected, self.listed({**ALL, **query}, role="admin")
                )

    def test_link_leads_to_next_page(self) -> None:
        query = {**ALL, "limit": "2"}
        document = self.list_all(query, role="admin")
        self.assertEqual(2, len(document["consoles"]))
        self.assertEqual(
            [
                {
                    "rel": "next",
                    "href": "http://localhost/os-consoles?all_projects=true"
                    f"&limit=2&marker={self.ids[1]}",
                }
            ],
            document["consoles_links"],
        )
        document = self.list_all(
            {**query, "marker": str(self.ids[1])}, role="admin"
        )
        self.assertEqual(1, len(document["consoles"]))
        self.assertNotIn("consoles_links", document)

    def test_page_without_visible_consoles_has_link_to_next(self) -> None:
        self.write_policy(
            all_tenants=f"'{OTHER_PROJECT}':%(project_id)s "
            f"or '{PROJECT}':%(project_id)s",
            list_=f"'{PROJECT}':%(project_id)s or role:other",
        )
        found, query = [], {**ALL, "limit": "1"}
        for _ in range(3):
            document = self.list_all(query)
            found.append(len(document["consoles"]))
            query["marker"] = str(self.ids[len(found) - 1])
            self.assertEqual(len(found) < 3, "consoles_links" in document)
        self.assertEqual([1, 0, 0], found)

    def test_page_never_exceeds_max_limit(self) -> None:
        self.service = dataclasses.replace(self.service, max_limit=2)
        for query in (ALL, {**ALL, "limit": "3"}):
            document = self.list_all(query, role="admin")
            self.assertEqual(2, len(document["consoles"]))
            self.assertIn("consoles_links", document)
