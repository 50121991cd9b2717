# SPDX-License-Identifier: Apache-2.0
"""Consoles that xvp, the XenServer VNC Proxy, serves (``vnc+xvp``).

The writer makes ``xvp.conf``, the grammar checks it, the daemon is the xvp
process, and the driver keeps them together.  What they know of xvp was
measured on xvp 1.16.
"""
