"""A process takes as many sockets as the system lets it have, not as few as a shell gave it."""

from __future__ import annotations

import resource
import subprocess
import sys

LOW = 128
PROGRAM = """
import resource
from server.open_files import allow_many_sockets
allow_many_sockets()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_limit_of_open_files_is_raised_to_what_the_system_allows():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LOW, hard)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(hard), str(hard)]
