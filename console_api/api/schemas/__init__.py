# SPDX-License-Identifier: Apache-2.0
"""What requests must look like, by microversion."""

from collections.abc import Mapping
from typing import Any

import jsonschema
from microversion_parse import Version

from console_api import errors

# How much of a message of the validator, which quotes the input, is shown.
_MESSAGE_LENGTH = 300


class Schema:
    """A JSON schema that changes with the microversion."""

    def __init__(self, versions: Mapping[Version, Mapping[str, Any]]) -> None:
        """Compile the schemas, each for its microversion and those after."""
        self._validators = [
            (version, jsonschema.Draft202012Validator(schema))
            for version, schema in sorted(versions.items(), reverse=True)
        ]

    def validate(self, version: Version, document: Any) -> None:
        """Check a document against the schema of a microversion.

        :raises InvalidInput: it does not fit; the message says where
        """
        for start, validator in self._validators:
            if start <= version:
                try:
                    error = jsonschema.exceptions.best_match(
                        validator.iter_errors(document)
                    )
                except RecursionError as too_deep:
                    # The validator quotes what does not fit, and cannot
                    # quote what the parser could only just read.
                    raise errors.InvalidInput(
                        "Invalid input: it is nested too deeply."
                    ) from too_deep
                if error is not None:
                    raise errors.InvalidInput(_describe(error))
                return


def _describe(error: jsonschema.ValidationError) -> str:
    field = "/".join(str(part) for part in error.absolute_path)
    message = error.message
    if error.validator == "pattern":
        # A regular expression tells nobody what to do.
        message = f"{error.instance!r:.64} {error.schema['description']}"
    if len(message) > _MESSAGE_LENGTH:
        message = f"{message[:_MESSAGE_LENGTH]}..."
    if not field:
        return f"Invalid input: {message}"
    return f"Invalid input for field/attribute {field[:64]}: {message}"
