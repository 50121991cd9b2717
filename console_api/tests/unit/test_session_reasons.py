# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import session_reasons
from console_api.gateway.close_reasons import CloseReason


class SessionReasonsTest(unittest.TestCase):
    def test_gateways_report_every_final_reason(self) -> None:
        labels = {reason.label for reason in CloseReason}
        self.assertLessEqual({*session_reasons.FINAL}, labels)
