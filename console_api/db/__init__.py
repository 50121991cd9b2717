# SPDX-License-Identifier: Apache-2.0
"""The database: the only package with SQL.

Each resource has a module of statements, which take and return typed rows.
This package imports neither the domain nor HTTP.  Every invariant is a named
constraint (``tables``), which also decides races.
"""
