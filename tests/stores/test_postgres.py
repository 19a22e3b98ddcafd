"""A connection that is given back is as good as new, although nothing is sent to make it so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import server
from server.stores import postgres


async def test_what_was_left_open_or_set_for_a_transaction_is_gone_with_it(database_url: str):
    pool = await postgres.connect(database_url, size_max=1)
    async with pool.acquire() as conn:
        await conn.execute("CREATE TABLE kept (n int)")
        before = await conn.fetchval("SHOW plan_cache_mode")

    async def fail_in_the_middle() -> None:
        async with pool.acquire() as conn:
            await conn.execute("BEGIN")
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await conn.execute("SELECT pg_advisory_xact_lock(1)")
            await conn.execute("INSERT INTO kept VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        await fail_in_the_middle()
    assert await pool.fetchval("SHOW plan_cache_mode") == before
    assert await pool.fetchval("SELECT count(*) FROM kept") == 0
    assert (
        await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0
    )
    await pool.close()


STAYS = re.compile(
    r"pg_(try_)?advisory_lock|set_config\([^)]*\bfalse\b|\bWITH HOLD\b"
    r"|(^|;)\s*(SET\s+(?!LOCAL\b)|LISTEN\s)"
)
"""What outlasts its transaction: locks, settings, cursors and subscriptions of a whole session."""


def texts(node: ast.AST) -> Iterator[str]:
    """All texts of a module; `?` is what an f-string fills in."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def test_nothing_that_outlasts_its_transaction_is_asked_of_a_connection():
    for leak in (
        "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock_shared(1)", "SELECT set_config('a', 'b', false)",
        " SET work_mem = 1", "BEGIN; SET SESSION a TO 1", "LISTEN a", "DECLARE a CURSOR WITH HOLD FOR SELECT 1",
    ):  # fmt: skip
        assert STAYS.search(leak), leak
    for fine in (
        "SET LOCAL a = 1",
        "SELECT pg_advisory_xact_lock(1)",
        "UPDATE a\nSET b = 1",
        "SELECT set_config(a, b, true)",
    ):
        assert not STAYS.search(fine), fine
    assert list(texts(ast.parse("f'UPDATE {a} SET b = 1'"))) == ["UPDATE ? SET b = 1"]

    root = Path(server.__file__).parent
    held = [(path, text) for path in sorted(root.rglob("*.py")) for text in texts(ast.parse(path.read_text()))]
    held += [(path, path.read_text()) for path in sorted(root.rglob("*.sql"))]
    # It locks on a connection of its own, which ends with it.
    assert {str(path.relative_to(root)) for path, text in held if STAYS.search(text)} == {"ledger/migrate.py"}
