"""`make audit-deps`: looks every pinned package up with pip-audit, and never takes "could not ask" for "nothing known".

Exit codes: 0 all looked up and nothing known, 1 something is known, 2 some could not be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOL = Path(sys.prefix) / "audit" / "bin" / "pip-audit"
TIMEOUT_S = 600
NAMES_SHOWN_MAX = 5


def verdict(report: dict[str, Any]) -> tuple[int, list[str]]:
    """The exit code, and lines for people. report: what pip-audit writes as JSON."""
    packages = report["dependencies"]
    known = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    lines = [*known, f"{len(packages) - len(skipped)} of {len(packages)} packages looked up, {len(known)} flaws known"]
    if skipped:
        shown = ", ".join(skipped[:NAMES_SHOWN_MAX]) + (" ..." if len(skipped) > NAMES_SHOWN_MAX else "")
        lines.append(f"NOT AUDITED, the advisory service did not know or did not answer: {shown}")
    return 1 if known else 2 if skipped or not packages else 0, lines


def main() -> int:
    """Runs pip-audit over constraints.txt."""
    # Versions are exact and complete: nothing needs to be resolved or installed.
    command = [TOOL, "-r", ROOT / "constraints.txt", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run([*command, "-f", "json"], capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(done.stderr.strip().rpartition("\n")[2])
        print("NOT AUDITED: the advisory service cannot be reached from here")
        return 2
    code, lines = verdict(report)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
