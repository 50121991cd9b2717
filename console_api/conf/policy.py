# SPDX-License-Identifier: Apache-2.0
"""Our defaults for the options of oslo.policy."""

GROUP = "oslo_policy"

#: Default of ``remote_timeout``, in seconds, instead of 60.
REMOTE_TIMEOUT = 5.0
