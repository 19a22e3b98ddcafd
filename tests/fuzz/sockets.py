"""Fuzzes the socket: clients that send what FrameMaker makes, and check every answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import jsonschema
import orjson

from server.domain.errors import Code
from server.web.close_codes import CloseCode
from tests.fuzz.frames import FrameMaker, Script
from tests.fuzz.wire import CLOSE, PING, PONG, TEXT, Reader, ServerFrame, frame, upgrade
from tests.web.client import check_frame

CLIENTS = 8
FRAMES_PER_CONNECTION_MAX = 400
FRAMES_PER_WRITE_MAX = 20
ANSWER_TIMEOUT_S = 30.0
PROBLEMS_MAX = 20
LAST_TS = 4_711_000_001

OWN_TO_WEBSOCKET = {1002, 1007}
"""RFC 6455's codes for frames that are none, and for text that is no UTF-8."""

_CLOSE_CODES = {int(code) for code in CloseCode} | OWN_TO_WEBSOCKET
_CODES = {code.value for code in Code}


@dataclass
class Report:
    """What was sent, what came back, and what should not have."""

    frames: int = 0
    connections: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def problem(self, what: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(what[:600])


async def fuzz(address: str, tokens: list[str], rooms: list[str], *, frames: int, seed: int) -> Report:
    """Sends so many frames over CLIENTS connections at a time. address: host:port."""
    report = Report()
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            share = frames // CLIENTS + (number < frames % CLIENTS)
            group.create_task(_client(address, FrameMaker(Random(f"{seed}/{number}"), tokens, rooms), share, report))
    return report


async def _client(address: str, maker: FrameMaker, frames: int, report: Report) -> None:
    left = frames
    while left > 0:
        script = maker.script(min(left, FRAMES_PER_CONNECTION_MAX))
        left -= max(1, await _connection(address, script, report))


async def _connection(address: str, script: Script, report: Report) -> int:
    """One connection with its script; how many frames were sent before it ended."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    report.connections += 1
    writer.write(upgrade(address))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n")[0]:
        report.problem(f"no upgrade: {head[:80]!r}")
        return len(script.frames)
    done = asyncio.Event()
    listening = asyncio.create_task(_listen(reader, report, done))
    sent = 0
    try:
        while sent < len(script.frames) and not done.is_set():
            piece = script.frames[sent : sent + FRAMES_PER_WRITE_MAX]
            writer.write(b"".join(piece))
            await writer.drain()
            sent += len(piece)
        if not script.unfinished:
            # What comes last tells that everything before it was handled, unless the connection ended over it.
            writer.write(frame(TEXT, b'{"type":"ping","ts":%d}' % LAST_TS))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await done.wait()
    except ConnectionError:
        report.closes["reset"] += 1
    except TimeoutError:
        report.problem(f"no answer within {ANSWER_TIMEOUT_S:.0f} s")
    listening.cancel()
    writer.transport.abort()
    report.frames += sent
    return sent


async def _listen(reader: asyncio.StreamReader, report: Report, done: asyncio.Event) -> None:
    frames = Reader()
    try:
        while data := await reader.read(65_536):
            for received in frames.feed(data):
                if _check(received, report):
                    return
        report.closes["ended"] += 1
    except ConnectionError:
        report.closes["reset"] += 1
    finally:
        done.set()


def _check(received: ServerFrame, report: Report) -> bool:
    """Whether this was the last frame of the connection."""
    if not received.sound:
        report.problem(f"an unsound frame: {received}")
    if received.opcode == CLOSE:
        code = int.from_bytes(received.payload[:2], "big")
        report.closes[str(code)] += 1
        if code not in _CLOSE_CODES:
            report.problem(f"an unknown close code: {received.payload!r}")
        return True
    if received.opcode in {PING, PONG}:
        return False
    if received.opcode != TEXT:
        report.problem(f"an unknown frame: {received}")
        return False
    try:
        answer = orjson.loads(received.payload)
        report.answers[answer["type"] + (f" {answer['code']}" if "code" in answer else "")] += 1
        if "code" in answer and answer["code"] not in _CODES:
            report.problem(f"an unknown code: {answer}")
        # Every kind of answer against the API document, the frequent ones now and then.
        if report.answers[answer["type"]] < 200 or report.answers[answer["type"]] % 50 == 0:
            check_frame(answer)
    except (ValueError, LookupError, TypeError, jsonschema.ValidationError) as error:
        report.problem(f"an answer that is none: {received.payload[:300]!r}: {type(error).__name__}")
        return False
    return bool(answer["type"] == "pong" and answer.get("ts") == LAST_TS)
