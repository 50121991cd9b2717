# SPDX-License-Identifier: Apache-2.0
"""Messages of a session: RFC 6143, sections 7.3 to 7.8, and extensions.

They are followed while they are forwarded, so that a display can be replaced
by another one under its viewer.
"""
