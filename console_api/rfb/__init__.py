# SPDX-License-Identifier: Apache-2.0
"""The remote framebuffer protocol (RFC 6143), without sockets."""
