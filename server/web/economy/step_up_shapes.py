"""JSON objects of step-up confirmation over HTTP."""

from typing import Annotated

from msgspec import Meta, Struct

CodeText = Annotated[
    str, Meta(min_length=1, max_length=40, description="six digits of the app, or one of the recovery codes")
]
ConfirmationText = Annotated[str, Meta(min_length=1, max_length=64)]


class StepUp(Struct, frozen=True):
    """Whether an authenticator app is set up, and until when no code is looked at (null: codes are)."""

    enrolled: bool
    recovery_codes_left: Annotated[int, Meta(ge=0)]
    locked_until: Annotated[str | None, Meta(description="RFC 3339")]


class StepUpEnrolment(Struct, frozen=True):
    """What an authenticator app needs, told once."""

    secret: Annotated[str, Meta(description="base32, to be typed into the app")]
    uri: Annotated[str, Meta(description="the same, as the app reads it from a QR code")]
    qr: Annotated[str, Meta(description="that QR code: an SVG image as a data: address")]


class StepUpCode(Struct, frozen=True):
    """A code of the app."""

    code: CodeText


class RecoveryCodes(Struct, frozen=True):
    """Each is good once, in place of a code of the app; told once."""

    recovery_codes: list[str]


class StepUpEnrolled(Struct, frozen=True):
    """recovery_codes: told once. confirmation: what the first code was exchanged for, good once."""

    recovery_codes: list[str]
    confirmation: ConfirmationText
    expires_at: Annotated[str, Meta(description="RFC 3339, of the confirmation")]


class StepUpConfirmation(Struct, frozen=True):
    """What a code was exchanged for: goes into the request that asks for a confirmation, and is good once."""

    confirmation: ConfirmationText
    expires_at: Annotated[str, Meta(description="RFC 3339")]


class Confirmed(Struct, frozen=True):
    """A request that is nothing but confirmed."""

    confirmation: ConfirmationText
