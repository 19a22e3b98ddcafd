"""The gateways' port: keeps it for them, and sees which process listens on it."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

from server.start_error import StartError

_LISTEN = "0A"  # the state in /proc/net/tcp


def reserve_port(host: str, port: int) -> socket.socket:
    """Keep a port for processes that listen on it with SO_REUSEPORT; port 0 takes a free one.

    The socket returned never listens, so that no connection goes to it. Raises StartError if the port is taken: also by
    another giftstream, whose gateways would otherwise share it silently.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise StartError(f"GIFTSTREAM_HOST: {host!r} is no address of this machine") from error
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
            address = alone.getsockname()
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(address)
    except OSError as error:
        kept.close()
        raise StartError(_bind_failure(error, host, port)) from error
    return kept


def _bind_failure(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what listens there, or use another --port"
    if error.errno == errno.EACCES:
        return f"port {port} is for privileged users: use another --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def listens(pid: int, port: int) -> bool:
    """Tell whether a process of ours listens on a TCP port; True where there is no /proc and only its answer counts."""
    if sys.platform != "linux":
        return True
    sockets = _listening_sockets(port)
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(_target(entry) in sockets for entry in entries)
    except OSError:
        return False


def _target(entry: os.DirEntry[str]) -> str:
    try:
        return str(Path(entry.path).readlink())
    except OSError:
        return ""


def _listening_sockets(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
