"""Nobody's token gets into a log, an answer or an address, whatever clients send and whatever goes wrong with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import aiohttp
import orjson

from server import STATIC_FOLDER
from server.settings import Settings
from server.token_key import with_token_secret
from server.web.tokens import issue_token
from tests.serve_process import ServeProcess

METRICS_TOKEN = "metrics-token-that-nobody-should-read"


async def raw(address: str, data: bytes) -> bytes:
    """What the server answers to these bytes."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    answer = await reader.read(100_000)
    writer.close()
    return answer


async def test_no_secret_gets_into_the_log_of_a_whole_server(start_serve: Callable[..., ServeProcess]):
    """At the level that says most."""
    serve = start_serve(
        "--demo",
        "--gateways",
        "1",
        GIFTSTREAM_LOG_LEVEL="debug",
        GIFTSTREAM_LOG_FORMAT="json",
        GIFTSTREAM_METRICS_TOKEN=METRICS_TOKEN,
    )
    url = await asyncio.to_thread(lambda: serve.url)
    settings = with_token_secret(Settings(data_dir=serve.data_dir))
    token = issue_token(settings, "vera", "Vera", "viewer", 600)
    signature = token.rpartition(".")[2]
    address = url.rpartition("/")[2]
    bearer = {"Authorization": f"Bearer {token}"}
    answers: list[str] = []
    async with aiohttp.ClientSession() as http:
        for method, path, headers, body in (
            ("GET", f"/?token={token}", {}, None),
            ("GET", f"/overlay/r_demo_music?token={token}", {}, None),
            ("GET", f"/ws?token={token}", {}, None),
            ("GET", f"/{token}", {}, None),
            ("GET", f"/api/v1/rooms/{token}", bearer, None),
            ("GET", f"/api/v1/wallet?cursor={token}", bearer, None),
            ("GET", f"/api/v1/wallet/gifts?cursor={token}", bearer, None),
            ("POST", f"/api/v1/rooms/{token}/gifts", bearer, b'{"gift":"rose","count":1}'),
            ("POST", "/api/v1/rooms", bearer, f'{{"title":"{token}'.encode()),
            ("PUT", f"/api/v1/creator/blocks/{token}", bearer, None),
            ("POST", "/api/v1/demo/login", {"Idempotency-Key": token[:70]}, b'{"name":"Vera"}'),
            ("GET", "/metrics", {"Authorization": f"Bearer {METRICS_TOKEN}x"}, None),
            ("GET", "/metrics", {"Authorization": f"Bearer {METRICS_TOKEN}"}, None),
            ("GET", "/api/v1/wallet", {"Authorization": f"Bearer {token[:-4]}"}, None),
        ):
            sent = {**headers, "Content-Type": "application/json"} if body else headers
            async with http.request(method, url + path, headers=sent, data=body) as answer:
                answers.append(await answer.text())
        async with http.ws_connect(f"{url}/ws", headers=bearer, protocols=("x", "y")) as socket:
            await socket.send_str(orjson.dumps({"type": "hello", "token": token}).decode())
            answers.append(str(await socket.receive()))
            for frame in (f'{{"type":"hello","token":"{token}"', f'{{"type":"join","room":"{token[:64]}"}}', token):
                await socket.send_str(frame)
                answers.append(str(await socket.receive()))
        async with http.ws_connect(f"{url}/ws") as socket:
            await socket.send_str(orjson.dumps({"type": "hello", "token": token[:-4]}).decode())
            answers.append(str(await socket.receive()))
    for request in (
        [f"GET /?token={token} HTTP/9.9"],
        ["GET /api/v1/wallet HTTP/1.1", f"Authorization Bearer {token}"],
        ["GET /api/v1/wallet HTTP/1.1", f"Authorization: {token}", f"X: {'x' * 20_000}"],
        [token],
        ["GET /ws HTTP/1.1", "Upgrade: websocket", f"Sec-WebSocket-Key: {token}", "Sec-WebSocket-Version: 13"],
        ["GET /ws HTTP/1.1", "Upgrade: websocket", f"Sec-WebSocket-Version: {token}"],
    ):
        line, *headers = request
        await raw(address, "\r\n".join([line, "Host: x", "Connection: close, Upgrade", *headers, "", ""]).encode())
    assert serve.end() == 0
    assert len(serve.lines) > 3  # it did log
    for secret in (token, signature, settings.token_secret, METRICS_TOKEN):
        assert secret not in serve.output
    assert not any(signature in answer or METRICS_TOKEN in answer for answer in answers)


def test_pages_load_and_speak_over_what_they_were_loaded_with():
    """No address with a scheme of its own, so that no page served over https mixes in what is not."""
    pages = [path for path in STATIC_FOLDER.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    assert len(pages) > 50
    for path in pages:
        found = set(re.findall(r"(?:https?|wss?)://[^\s\"'`)]*", path.read_text()))
        assert found <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, path
    socket = Path(STATIC_FOLDER / "js/lib/socket.js").read_text()
    assert 'location.protocol === "https:" ? "wss:" : "ws:"' in socket
