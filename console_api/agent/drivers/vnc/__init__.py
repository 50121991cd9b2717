# SPDX-License-Identifier: Apache-2.0
"""Driver ``vnc``: the agent itself is the VNC server of its consoles."""
