# SPDX-License-Identifier: Apache-2.0
"""Consoles that xvp, the XenServer VNC Proxy, serves (``vnc+xvp``).

``fields`` has the rules of ``xvp.conf``, ``pools`` reads the pools from the
configuration, ``writer`` plans a file, ``daemon`` supervises the xvp process,
and ``driver`` keeps the process in step with the consoles.  What they assume
of xvp was measured on xvp 1.16.
"""
