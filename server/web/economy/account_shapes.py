"""JSON objects of one's own account: profile, logins, the block on purchases; and of reports and flags."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.web.shapes import Count, Next

At = Annotated[str, Meta(description="RFC 3339")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z", description="YYYY-MM-DD")]
Region = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2")]
Pin = Annotated[str, Meta(pattern=r"^\d{4,12}\Z", description="4 to 12 digits")]


class ProfileView(Struct, frozen=True):
    """What one told of oneself. adult: old enough to buy, to give and to earn; null where it is not known."""

    region: str | None
    birth_date: str | None
    adult: bool | None
    purchases_blocked: bool


class NewProfile(Struct, frozen=True):
    """What to tell; each is told once, and changed by an admin only."""

    region: Region | UnsetType = UNSET
    birth_date: Day | UnsetType = UNSET


class LoginView(Struct, frozen=True):
    """A place and program that one came with. place: a digest of the address, the same for the same place."""

    place: str
    program: str
    first_at: At
    last_at: At
    times: Count


class LoginHistory(Struct, frozen=True):
    """A page of where one came from, the latest first."""

    logins: list[LoginView]
    next: Next


class PinGiven(Struct, frozen=True):
    """A PIN that somebody else keeps."""

    pin: Pin


class NewReport(Struct, frozen=True):
    """Something that should not be. subject: an id, or the words of a chat line."""

    subject_kind: Literal["user", "room", "chat", "gift", "purchase"]
    subject: Annotated[str, Meta(min_length=1, max_length=255)]
    reason: Literal["abuse", "fraud", "minor", "spam", "self_harm", "other"]
    words: Annotated[str, Meta(max_length=1000)] = ""


class ReportTaken(Struct, frozen=True):
    """The number of a report."""

    report: str


class ReportView(Struct, frozen=True):
    """A report that waits for a person."""

    report: str
    reporter: str
    subject_kind: str
    subject: str
    reason: str
    words: str
    at: At


class ReportList(Struct, frozen=True):
    """A page of reports, oldest first."""

    reports: list[ReportView]
    next: Next


class FlagView(Struct, frozen=True):
    """A pattern that looks like fraud, in one user."""

    flag: str
    pattern: str
    user: str
    detail: dict[str, Any]
    at: At


class FlagList(Struct, frozen=True):
    """A page of flags, oldest first."""

    flags: list[FlagView]
    next: Next


class Outcome(Struct, frozen=True):
    """What came of it."""

    outcome: Annotated[str, Meta(min_length=1, max_length=300)]


class Closed(Struct, frozen=True):
    """It is closed."""

    outcome: str
