# SPDX-License-Identifier: Apache-2.0
"""Consoles of servers for openstacksdk and the ``openstack`` command.

``sdk`` adds the service ``console`` to connections of openstacksdk, ``osc``
has the commands, and ``viewers`` starts the programs that show consoles.
This distribution runs on the machines of users: it imports nothing of the
server, and no more than openstacksdk, osc-lib and what these require.
"""
