"""What a gateway knows of a buyer that the item itself does not say: bans, mutes, tickets, and whether it stops."""

from server.domain.catalogue import SHOWN_KINDS, ItemKind
from server.domain.errors import RULES, Code
from server.rooms.rooms import RoomInfo
from server.web.economy.entering import NEEDS_TICKET, may_enter
from server.web.identity import Identity
from server.web.services import Services
from server.web.standing import SHUT_OUT, shut_out

_MESSAGES = {
    Code.UNKNOWN_GIFT: "There is no such item here.",
    Code.FORBIDDEN: SHUT_OUT,
    Code.NOT_ELIGIBLE: NEEDS_TICKET,
    Code.CONFLICT: "You have a ticket for this room already.",
    Code.BAD_REQUEST: "A highlighted comment needs some words.",
    Code.BAD_COUNT: "That many of this cannot be bought at once.",
    Code.SELF_GIFT: "Creators cannot buy this in their own rooms.",
}


def message_of(code: Code) -> str:
    """The sentence for a refused purchase."""
    return _MESSAGES.get(code, RULES[code].message)


async def refusal_of(  # noqa: PLR0911 - one line for each rule
    services: Services, identity: Identity, room: RoomInfo | None, item_id: str
) -> Code | None:
    """Why somebody may not buy this there now, as far as the item's own rules do not say. Raises Refusal."""
    if services.draining.is_set():
        return Code.UNAVAILABLE
    await services.ages.learn(identity.user_id)
    if not services.ages.may_give(identity.user_id):
        return Code.AGE_RESTRICTED
    if room is None:
        return None
    await services.moderation.learn(room)
    if shut_out(services.moderation, identity, room.id):
        return Code.FORBIDDEN
    item = services.catalogue.item(item_id)
    if item is None or item.kind not in SHOWN_KINDS:
        return None
    muted = services.moderation.standing(room.id, identity.user_id).muted_until_s
    if muted and item.kind is ItemKind.HIGHLIGHT:
        return Code.FORBIDDEN
    return None if await may_enter(services, identity, room) else Code.NOT_ELIGIBLE
