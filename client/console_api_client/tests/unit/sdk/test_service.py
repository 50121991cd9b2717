# SPDX-License-Identifier: Apache-2.0
from openstack import exceptions

from console_api_client.tests.base import CONSOLES, CloudCase
from console_api_client.tests.cloud import SERVER


class CatalogTests(CloudCase):
    def test_service_of_its_own_is_used(self) -> None:
        self.add_consoles(7)
        self.assertEqual(1, len(list(self.connect().server_consoles(SERVER))))
        self.assertEqual([f"GET {CONSOLES}"], self.cloud.requests)

    def test_cloud_of_clouds_yaml_adds_the_service(self) -> None:
        self.add_consoles(7)
        proxy = self.connect(vendor_hook="console_api_client.sdk:add_service")
        listed = proxy.server_consoles(SERVER)
        self.assertEqual(1, len(list(listed)))


class ComputeTests(CloudCase):
    services = ("compute",)

    def test_compute_is_used_without_a_service_of_its_own(self) -> None:
        path = f"GET compute /servers/{SERVER}/consoles"
        self.answers[path] = (200, {"consoles": [{"console": {"id": 7}}]})
        self.assertEqual(1, len(list(self.connect().server_consoles(SERVER))))

    def test_endpoint_of_the_configuration_is_preferred(self) -> None:
        self.add_consoles(7)
        url = f"{self.cloud.url}/console/v2.1"
        proxy = self.connect(console_endpoint_override=url)
        self.assertEqual(1, len(list(proxy.server_consoles(SERVER))))
        self.assertEqual([f"GET {CONSOLES}"], self.cloud.requests)


class EmptyTests(CloudCase):
    services = ("image",)

    def test_catalog_without_both_services_is_refused(self) -> None:
        with self.assertRaisesRegex(exceptions.SDKException, "type console"):
            self.connect().server_consoles(SERVER)
