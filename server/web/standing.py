"""Who is shut out of a room, and how it is told to those whose standing changed."""

from server.rooms.moderation import Moderation
from server.web.identity import Identity, Role
from server.web.sessions import Sessions

SHUT_OUT = "You are banned from this room."


def shut_out(moderation: Moderation, identity: Identity, room_id: str) -> bool:
    """Whether somebody may neither be in the room nor give there, as far as is known here; no admin ever is."""
    return identity.role is not Role.ADMIN and moderation.shut_out(room_id, identity.user_id)


def tell_sessions(sessions: Sessions, room_id: str, users: set[str]) -> None:
    """The standing of these users in a room changed: their sockets here are told, or put out."""
    for user_id in users:
        for session in list(sessions.of(user_id)):
            session.stand(room_id)
