# SPDX-License-Identifier: Apache-2.0
"""SPICE protocol, as far as the gateway has to understand it; no sockets.

The source is the protocol's documentation and the headers of spice-protocol,
version 0.14.  All integers are little endian.
"""
