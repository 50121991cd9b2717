# SPDX-License-Identifier: Apache-2.0
"""A stand-in for xvp, as fragile as xvp is: a program of its own.

``python -m console_api.tests.functional.xvp_stand_in`` takes the arguments
of xvp.  It shares no code with the driver, so that what one of them gets
wrong the other notices, and what it does was measured on xvp 1.16.  It
serves an empty screen itself instead of asking a hypervisor.
"""
