# SPDX-License-Identifier: Apache-2.0
"""A program that stands in for xvp, and is as fragile.

``python -m console_api.tests.functional.xvp_stand_in`` takes the arguments
of xvp.  It behaves as xvp 1.16 was measured to behave, and shares no code with
the driver, so that neither can hide an error of the other.  It serves an empty
screen instead of connecting to a hypervisor.
"""
