"""Who may be in an exclusive room, beyond those with a ticket: its creator, its moderators, its overlay, admins."""

from server.rooms.rooms import RoomInfo
from server.rooms.standing import RoomRole
from server.web.identity import Identity, Role
from server.web.services import Services

NEEDS_TICKET = "This room is for those who have a ticket."


async def may_enter(services: Services, identity: Identity, room: RoomInfo) -> bool:
    """Whether somebody may watch a room and take part in it, bans apart. Raises Refusal (unavailable).

    The room's rules must have been learnt. An overlay's token was given out by the room's creator.
    """
    if room.ticket is None or identity.role is Role.ADMIN or (identity.read_only and identity.room == room.id):
        return True
    if services.moderation.standing(room.id, identity.user_id).role is not RoomRole.VIEWER:
        return True
    return not identity.read_only and await services.door.admits(room, identity.user_id)
