# SPDX-License-Identifier: Apache-2.0
"""What is answered, one module a resource; thin, and without SQL."""
