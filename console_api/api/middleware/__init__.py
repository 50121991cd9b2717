# SPDX-License-Identifier: Apache-2.0
"""The filters of the pipeline that are our own, one a module."""
