"""What went wrong in a round: every broken promise as one line, and no more lines than can be read."""

from __future__ import annotations

LINES_MAX = 40


class Findings:
    """Broken promises, in the order in which they were seen."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def add(self, line: str) -> None:
        """Keep one; past LINES_MAX they are only counted."""
        self.count += 1
        if len(self.lines) < LINES_MAX:
            self.lines.append(line)

    def expect(self, holds: bool, line: str) -> None:
        """Keep the line unless the promise holds."""
        if not holds:
            self.add(line)

    def __bool__(self) -> bool:
        return self.count > 0
