# SPDX-License-Identifier: Apache-2.0
"""The database: the only room with SQL.

One module of statements a resource, with plain rows and values in and out.
Nothing here knows the domain or HTTP.  Every rule that must hold is a named
constraint (``tables``); races end there.
"""
