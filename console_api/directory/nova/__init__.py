# SPDX-License-Identifier: Apache-2.0
"""The directory ``nova``: asks Nova's API as a service user."""
