# SPDX-License-Identifier: Apache-2.0
"""Programs that show a console, none of which sees its password in arguments.

The arguments of a process are visible to all users of a machine.  A viewer
therefore gets the password through a pipe, a private file, the clipboard, or
its environment, which only the user and root can read.
"""
