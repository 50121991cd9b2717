# SPDX-License-Identifier: Apache-2.0
"""Policy enforcement: who may do what to which server."""
