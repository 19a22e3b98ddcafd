"""Chat and likes: cleaned, bounded, paced, and never trusted."""

from __future__ import annotations

import pytest

from server.rooms.apply import RoomsReader
from tests.web.client import Client
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def said(client: Client) -> str:
    frame = await client.receive_where(lambda frame: "chat" in frame, "chat")
    return str(frame["chat"][0]["text"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello", "hello"),
        ("<script>alert(1)</script> & more", "<script>alert(1)</script> & more"),
        ("line\r\nend\ttab\u0000\u0007", "line end tab"),
        ("user\u202etxt.exe\u2066\u200f", "usertxt.exe"),
        ("  a   lot \u00a0 of   space  ", "a lot of space"),
        ("z" * 700, "z" * 200),
        ("👩‍👩‍👧 é e\u0301\u0301\u0301\u0301\u0301\u0301\u0301", None),
    ],
)
async def test_a_line_is_shown_as_one_clean_line(gateway: Gateway, worker: RoomsReader, text: str, shown: str | None):
    room = await gateway.open_room()
    viewer = await gateway.enter(gateway.token("walt"), room)
    speaker = await gateway.enter(gateway.token("vera"), room)
    assert (await speaker.ask(type="chat", room=room, text=text))["type"] == "ack"
    line = await said(viewer)
    if shown is None:
        assert line.startswith("👩‍👩‍👧 é")
        assert line.count("\u0301") <= 4
    else:
        assert line == shown


@pytest.mark.parametrize("text", ["", "   ", "\u202e\u200b\u0000", "\n\n", "z" * 801])
async def test_a_line_with_nothing_to_read_or_far_too_much_is_a_bad_request(gateway: Gateway, text: str):
    room = await gateway.open_room()
    client = await gateway.enter(gateway.token("vera"), room)
    nack = await client.ask(type="chat", room=room, text=text)
    assert (nack["type"], nack["code"]) == ("nack", "bad_request")


async def test_a_line_that_is_no_text_is_a_bad_frame_with_its_id(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(gateway.token("vera"), room)
    for text in (5, None, ["a"]):
        nack = await client.ask(type="chat", room=room, text=text)
        assert (nack["type"], nack["code"]) == ("nack", "bad_frame")


async def test_chat_is_paced_per_user_over_all_connections(start_gateway: StartGateway):
    gateway = await start_gateway(chats_per_second=0.1, chats_burst=2)
    room = await gateway.open_room()
    one, two = await gateway.enter(gateway.token("vera"), room), await gateway.enter(gateway.token("vera"), room)
    for client in (one, two):
        assert (await client.ask(type="chat", room=room, text="hi"))["type"] == "ack"
    nack = await one.ask(type="chat", room=room, text="hi")
    assert (nack["type"], nack["code"]) == ("nack", "rate_limited")
    assert 0 < nack["retry_ms"] <= 10_000
    other = await gateway.enter(gateway.token("walt"), room)
    assert (await other.ask(type="chat", room=room, text="hi"))["type"] == "ack"


async def test_likes_are_counted_up_to_the_limits_and_never_answered(start_gateway: StartGateway, worker: RoomsReader):
    gateway = await start_gateway(likes_per_second=0.01, likes_burst=130)
    room = await gateway.open_room()
    viewer = await gateway.enter(gateway.token("walt"), room)
    fan = await gateway.enter(gateway.token("vera"), room)
    for count in (2**40, 20, 500):  # 100 of one frame at most, then what the pace leaves
        await fan.send(type="like", room=room, count=count)
    await fan.silent("ack", "nack", "error")
    likes = 0
    while likes < 130:
        likes += (await viewer.receive_where(lambda frame: "likes" in frame, "likes"))["likes"]
    assert likes == 130


@pytest.mark.parametrize("count", [0, -1, 1.5, "1", None, True])
async def test_likes_that_are_no_number_are_a_bad_frame(gateway: Gateway, count: object):
    room = await gateway.open_room()
    fan = await gateway.enter(gateway.token("vera"), room)
    await fan.send(type="like", room=room, count=count)
    assert (await fan.receive("error"))["code"] == "bad_frame"
