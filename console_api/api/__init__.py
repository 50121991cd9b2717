# SPDX-License-Identifier: Apache-2.0
"""Request processing: pipeline, route table, controllers."""
