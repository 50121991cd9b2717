# SPDX-License-Identifier: Apache-2.0
"""Remote Framebuffer (RFB) protocol, RFC 6143, without sockets."""
