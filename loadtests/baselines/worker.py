"""One uvicorn process of a baseline: ``python -m loadtests.baselines.worker PORT``."""

from __future__ import annotations

import socket
import sys

import uvicorn


def main() -> None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", int(sys.argv[1])))
    config = uvicorn.Config(
        "loadtests.baselines.app:app",
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        backlog=4096,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
