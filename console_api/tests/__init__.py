# SPDX-License-Identifier: Apache-2.0
"""Tests of console_api. Warnings are errors, except those named here."""

import atexit
import gc
import os
import sys
import warnings

# Modules of libraries that cause warnings by themselves, and how.
_EXEMPT = {
    r"gunicorn\.": "leaves the inherited socket to the garbage collector",
    r"webob\.compat": "imports cgi",
    r"osc_lib\.": "imports deprecated modules of its own",
    r"oslo_cache\.": "imports Eventlet",
    r"oslo_service\.": "imports Eventlet",
    r"oslo_utils\.eventletutils": "warns that it is deprecated itself",
    r"openstack\.": "calls deprecated methods of its own",
}


def _fail_on_warnings() -> None:
    warnings.simplefilter("error")
    for module in _EXEMPT:
        warnings.filterwarnings("ignore", module=module)


def _fail_on_unraisable_errors() -> None:
    """Fail the process after an error that nothing could be raised to.

    A warning about a resource that was never closed is one: it is raised
    while the object is deleted.
    """
    found: list[object] = []
    report = sys.unraisablehook

    def remember(unraisable: "sys.UnraisableHookArgs") -> None:
        found.append(unraisable.exc_value)
        report(unraisable)

    def check() -> None:
        gc.collect()
        if found:
            text = f"Errors that could not be raised: {found}"
            print(text, file=sys.stderr)
            if "stestr" in sys.modules:
                _report_to_stestr(text)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(70)

    sys.unraisablehook = remember
    atexit.register(check)


def _report_to_stestr(text: str) -> None:
    """Report a failed test, because stestr ignores how its workers exit."""
    from subunit.v2 import StreamResultToBytes  # noqa: PLC0415 (only here)

    StreamResultToBytes(sys.stdout.buffer).status(
        test_id="Errors that could not be raised",
        test_status="fail",
        file_name="reason",
        mime_type="text/plain;charset=utf8",
        file_bytes=text.encode(),
    )


# The oldest libraries warn about newer ones.
if not os.environ.get("CONSOLE_API_TEST_ALLOW_WARNINGS"):
    _fail_on_warnings()
if "unittest" in sys.modules:
    # A runner of tests, not a program that they start.
    _fail_on_unraisable_errors()
