# SPDX-License-Identifier: Apache-2.0
"""The directory ``nova``: queries Nova's API as a service user."""
