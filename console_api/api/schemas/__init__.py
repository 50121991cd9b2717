# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of requests, by microversion."""

from collections.abc import Mapping

import jsonschema
from microversion_parse import Version

from console_api import errors

# Ignores properties that the schema does not allow.
_LenientValidator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"additionalProperties": lambda *_arguments: None},
)

# Maximum number of documents of a schema that are remembered as valid, and of
# characters of each: there are few remote consoles that can be requested.
_MAX_REMEMBERED = 200
_MAX_REMEMBERED_LENGTH = 200

# Messages of the validator quote the input, so they are truncated.
_MAX_MESSAGE_LENGTH = 300


class Schema:
    """A JSON schema that depends on the microversion."""

    def __init__(
        self, versions: Mapping[Version, Mapping[str, object]]
    ) -> None:
        """Compile the schemas.

        :param versions: by the first microversion that each applies to
        """
        self._validators = [
            (
                version,
                jsonschema.Draft202012Validator(schema),
                _LenientValidator(schema),
            )
            for version, schema in sorted(versions.items(), reverse=True)
        ]
        self._valid: set[tuple[Version, bool, str]] = set()

    def validate(
        self, version: Version, document: object, *, lenient: bool = False
    ) -> None:
        """Check a document against the schema of a microversion.

        :param lenient: whether to ignore unknown properties
        :raises InvalidInput: the document is not valid; the message names the
            field
        """
        try:
            key = version, lenient, repr(document)
            if key in self._valid:
                return
            self._check(version, document, lenient=lenient)
        except RecursionError as too_deep:
            # The parser accepts deeper nesting than can be quoted.
            raise errors.InvalidInput(
                "Invalid input: the document is nested too deeply."
            ) from too_deep
        # Validation takes longer than most database statements.
        if (
            len(self._valid) < _MAX_REMEMBERED
            and len(key[-1]) <= _MAX_REMEMBERED_LENGTH
        ):
            self._valid.add(key)

    def _check(
        self, version: Version, document: object, *, lenient: bool
    ) -> None:
        for start, strict_validator, lenient_validator in self._validators:
            if start <= version:
                validator = lenient_validator if lenient else strict_validator
                error = jsonschema.exceptions.best_match(
                    validator.iter_errors(document)
                )
                if error is not None:
                    raise errors.InvalidInput(_describe(error))
                return


def _describe(error: jsonschema.ValidationError) -> str:
    field = "/".join(str(part) for part in error.absolute_path)
    message = error.message
    if error.validator == "type" and not field:
        message = "the body must be a JSON object."
    elif error.validator == "pattern":
        # The regular expression would not help the client.
        message = f"{error.instance!r:.64} {error.schema['description']}"
    if len(message) > _MAX_MESSAGE_LENGTH:
        message = f"{message[:_MAX_MESSAGE_LENGTH]}..."
    if not field:
        return f"Invalid input: {message}"
    return f"Invalid input for field/attribute {field[:64]}: {message}"
