# SPDX-License-Identifier: Apache-2.0
"""The gateway: remote consoles in the browser, through WebSockets."""
