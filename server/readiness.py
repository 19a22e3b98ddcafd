"""Asks a process over its real port whether it is ready: ``python -m server.readiness [URL]`` for health checks."""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import urlsplit

ANSWER_TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 16_384
DEFAULT_URL = "http://127.0.0.1:8080"

OK = 200


async def ask(host: str, port: int, path: str = "/readyz") -> tuple[int, str]:
    """Return the status and the body that ``path`` answers on a fresh connection; status 0 and why if there is none."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read(ANSWER_BYTES_MAX)
                while more := await reader.read(ANSWER_BYTES_MAX - len(answer)):
                    answer += more
            finally:
                writer.close()
    except TimeoutError:
        return 0, f"no answer within {ANSWER_TIMEOUT_S:.0f} s"
    except OSError as error:
        return 0, error.strerror or type(error).__name__
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return status, body.decode("utf-8", "replace").strip()


def main() -> int:
    """Exit 0 if the answer is 200, else 1 with the reason."""
    url = urlsplit(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_URL)
    status, said = asyncio.run(ask(url.hostname or "127.0.0.1", url.port or 80, url.path or "/readyz"))
    if status != OK:
        print(status, said, file=sys.stderr)
    return 0 if status == OK else 1


if __name__ == "__main__":
    sys.exit(main())
