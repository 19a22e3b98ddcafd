"""Frames written by hand are what a standard reader understands; what cannot be read is told apart."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp._websocket.reader_py import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol

from server.web import client_frames
from server.web.client_frames import FrameError, Gift, Hello, Join, Like, Ping
from server.web.close_codes import REASONS, CloseCode, restart_reason
from server.web.frames import CLOSE_REASON_BYTES_MAX, PING, close_frame, pong_frame, text_frame


async def read_frames(data: bytes) -> list[aiohttp.WSMessage]:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**26, loop=loop)
    failed, _ = WebSocketReader(queue, 0, compress=False, decode_text=True).feed_data(data)
    assert not failed
    return [message for message, _ in queue._buffer]  # type: ignore[misc]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
async def test_a_text_frame_of_any_size_reads_as_its_payload(size: int):
    payload = "ü" + "x" * size
    (message,) = await read_frames(text_frame(payload.encode()))
    assert (message.type, message.data) == (aiohttp.WSMsgType.TEXT, payload)


async def test_frames_joined_in_one_write_stay_frames():
    messages = await read_frames(text_frame(b"{}") + PING + pong_frame(b"abc") + close_frame(4410, "slow"))
    assert [(message.type, message.data) for message in messages] == [
        (aiohttp.WSMsgType.TEXT, "{}"),
        (aiohttp.WSMsgType.PING, b""),
        (aiohttp.WSMsgType.PONG, b"abc"),
        (aiohttp.WSMsgType.CLOSE, 4410),
    ]
    assert messages[-1].extra == "slow"


def test_a_close_reason_that_fits_no_frame_is_refused():
    assert len(close_frame(1000, "x" * CLOSE_REASON_BYTES_MAX)) == 127
    with pytest.raises(ValueError, match="reason"):
        close_frame(1000, "x" * (CLOSE_REASON_BYTES_MAX + 1))


def test_every_close_code_has_a_reason_that_fits():
    assert set(REASONS) == set(CloseCode)
    for code, reason in REASONS.items():
        close_frame(code, reason)
    close_frame(CloseCode.RESTART, restart_reason(2**53))


@pytest.mark.parametrize(
    ("raw", "frame"),
    [
        (b'{"type":"hello","token":"a.b.c"}', Hello("a.b.c")),
        (b'{"type":"join","room":"r"}', Join("r")),
        (b'{"type":"join","room":"r","since":"1-2"}', Join("r", "1-2")),
        (b'{"type":"join","room":"r","since":null}', Join("r")),
        (b'{"type":"gift","id":"1","room":"r","gift":"rose","count":1}', Gift("1", "r", "rose", 1)),
        (b' {"count" : "x" , "id":"1","room":"r","gift":"rose","type":"gift"} ', Gift("1", "r", "rose", "x")),
        (
            b'{"type":"gift","id":"1","room":"r","gift":"rose","count":1,"more":{"a":[1,{"b":2}]}}',
            Gift("1", "r", "rose", 1),
        ),
        (b'{"type":"like","room":"r","count":3}', Like("r", 3)),
        (b'{"type":"ping"}', Ping()),
        (b'{"type":"ping","ts":12}', Ping(12)),
    ],
)
def test_a_frame_is_read_and_what_it_has_beyond_its_fields_is_ignored(raw: bytes, frame: object):
    assert client_frames.read(raw) == frame


GIFT = b'{"type":"gift","id":"1","room":"r","gift":"rose","count":1}'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="no JSON"),
        pytest.param(b"{", id="cut"),
        pytest.param(GIFT + b"{}", id="two objects"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"5", id="a number"),
        pytest.param(b"{}", id="no type"),
        pytest.param(b'{"type":"nope"}', id="unknown type"),
        pytest.param(b'{"type":5}', id="type is a number"),
        pytest.param(b'{"type":["gift"]}', id="type is a list"),
        pytest.param(b'{"type":"join"}', id="no room"),
        pytest.param(b'{"type":"join","room":5}', id="room is a number"),
        pytest.param(b'{"type":"hello","token":{}}', id="token is an object"),
        pytest.param(b'{"type":"ping","ts":1.5}', id="ts is a fraction"),
        pytest.param(b'{"type":"ping","ts":"1"}', id="ts is a string"),
        pytest.param(b'{"type":"ping","ts":true}', id="ts is a boolean"),
        pytest.param(b'{"type":"ping","ts":NaN}', id="NaN"),
        pytest.param(b'{"type":"ping","x":NaN}', id="NaN in an unknown field"),
        pytest.param(b'{"type":"ping","x":-Infinity}', id="infinity in an unknown field"),
        pytest.param(b'{"type":"ping","ts":1e999}', id="a number out of range"),
        pytest.param(b'{"type":"ping","ts":' + b"9" * 5000 + b"}", id="a huge number"),
        pytest.param(b'{"type":"ping","x":' + b"9" * 5000 + b"}", id="a huge number in an unknown field"),
        pytest.param(b'{"type":"ping","ts":1,"ts":2}', id="a field twice"),
        pytest.param(b'{"type":"ping","t\\u0073":1,"ts":2}', id="a field twice, once escaped"),
        pytest.param(b'{"type":"ping","x":{"a":1,"a":2}}', id="a field twice, inside"),
        pytest.param(GIFT[:-1] + b',"count":9}', id="a count twice"),
        pytest.param(b'{"type":"ping","x":' + b"[" * 3000 + b"]" * 3000 + b"}", id="too deep"),
        pytest.param(b'{"type":"ping","x":"\xff"}', id="not UTF-8 in an unknown field"),
        pytest.param(b'{"type":"chat","id":"1","room":"r","text":"\xc3\x28"}', id="not UTF-8"),
        pytest.param(b'{"type":"chat","id":"1","room":"r","text":"\\ud800"}', id="half a surrogate pair"),
        pytest.param(b"\xef\xbb\xbf" + GIFT, id="byte order mark"),
        pytest.param(b'{"type":"gift","id":"","room":"r","gift":"rose","count":1}', id="empty id"),
        pytest.param(b'{"type":"gift","id":7,"room":"r","gift":"rose","count":1}', id="id is a number"),
        pytest.param(b'{"type":"like","room":"r","count":0}', id="no like"),
        pytest.param(b'{"type":"like","room":"r","count":-5}', id="negative likes"),
    ],
)
def test_what_cannot_be_read_in_one_way_only_is_not_read(raw: bytes):
    with pytest.raises(FrameError):
        client_frames.read(raw)


@pytest.mark.parametrize(
    ("raw", "request_id", "nack"),
    [
        (b'{"type":"gift","id":"g1","room":5,"gift":"rose","count":1}', "g1", "gift_nack"),
        (b'{"type":"chat","id":"c1","room":"r"}', "c1", "nack"),
        (b'{"type":"nope","id":"n1"}', "n1", None),
        (b'{"type":"gift","id":"' + b"x" * 65 + b'","room":"r","gift":"rose","count":1}', None, None),
        (b'{"type":"gift","id":["g1"],"room":"r"}', None, None),
        (b'{"type":"gift","id":"g1","id":"g2"}', None, None),
    ],
)
def test_a_bad_frame_is_answered_under_its_id_if_that_can_be_trusted(
    raw: bytes, request_id: str | None, nack: str | None
):
    with pytest.raises(FrameError) as caught:
        client_frames.read(raw)
    assert (caught.value.request_id, caught.value.nack) == (request_id, nack)
