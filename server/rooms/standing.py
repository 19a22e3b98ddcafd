"""What one user is in one room: its creator, a moderator or a viewer, muted or shut out."""

import time
from dataclasses import dataclass
from enum import StrEnum

from server.ledger.moderation import Rules


class RoomRole(StrEnum):
    """What a user is in one room."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    CREATOR = "creator"


@dataclass(frozen=True, slots=True)
class Standing:
    """One user in one room. muted_until_s: seconds since the epoch, 0 when not muted.

    banned: from this room; blocked: by its creator, in all rooms of the creator.
    """

    role: RoomRole = RoomRole.VIEWER
    muted_until_s: float = 0.0
    banned: bool = False
    blocked: bool = False

    @property
    def shut_out(self) -> bool:
        """Whether the user can neither be in the room nor give there."""
        return self.banned or self.blocked


def is_shut_out(user_id: str, creator_id: str, rules: Rules) -> bool:
    """As `standing_of` says; this is asked for every gift. Nobody shuts out the creator."""
    return user_id != creator_id and (user_id in rules.banned or user_id in rules.blocked)


def standing_of(user_id: str, creator_id: str, rules: Rules) -> Standing:
    """A user's standing now. Nothing touches the creator; who is shut out keeps no order."""
    if user_id == creator_id:
        return Standing(RoomRole.CREATOR)
    banned, blocked = user_id in rules.banned, user_id in rules.blocked
    keeps_order = user_id in rules.moderators and not (banned or blocked)
    until_s = rules.muted.get(user_id, 0.0)
    return Standing(
        role=RoomRole.MODERATOR if keeps_order else RoomRole.VIEWER,
        muted_until_s=until_s if until_s > time.time() else 0.0,
        banned=banned,
        blocked=blocked,
    )


def who_changed(before: Rules, now: Rules) -> set[str]:
    """The users whose standing is not what it was."""
    muted = {user for user, _ in set(before.muted.items()) ^ set(now.muted.items())}
    shut_out = (before.banned ^ now.banned) | (before.blocked ^ now.blocked)
    return muted | shut_out | (before.moderators ^ now.moderators)
