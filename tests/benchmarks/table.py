"""What the benchmarks share: lines of a table, jobs as processes, an environment for each peer."""

import json
import platform
import subprocess
import sys
import venv
import zlib
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Line(NamedTuple):
    """One line of the table; without a target it is there to compare."""

    what: str
    measured: float
    form: str = "{:.2f}"
    target: float | None = None
    most: bool = True  # the target is an upper limit

    def __str__(self):
        """Write the line as Markdown."""
        measured = self.form.format(self.measured)
        judged = judge(self.measured, self.target, self.form.format, most=self.most)
        return f"| {self.what} | {measured} | {judged} |"


def judge(measured, target, tell, *, most):
    """Write the last two columns: the target, and whether it is met."""
    if target is None:
        return " | "
    good = measured <= target if most else measured >= target
    return f"{'≤' if most else '≥'} {tell(target)} | {'yes' if good else 'NO'}"


def print_table(head, lines, closing):
    """Print a Markdown table, and where it was made."""
    rule = "|" + "---|" * (head.count("|") - 1)
    made = f"Python {platform.python_version()}, {platform.machine()}."
    sys.stdout.write("\n".join(map(str, [head, rule, *lines])) + f"\n\n{closing}{made}\n")


def made_folder(folder, *sources):
    """Return the folder of what these modules generate: other sources, another folder."""
    source = b"".join((HERE / name).read_bytes() for name in sources)
    made = folder / f"made-by-{zlib.crc32(source):08x}"
    made.mkdir(parents=True, exist_ok=True)
    return made


def run(python, script, *arguments, environ=None):
    """Run a script as a process and return the JSON it prints."""
    say(" ".join(str(part) for part in (script.stem, *arguments)))
    done = subprocess.run(
        [python, script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=environ,
    )
    return json.loads(done.stdout)


def say(line):
    """Tell on the error stream what is going on."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def environment(folder, requires):
    """Return the Python of a virtual environment, made if it is not there."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        say(f"installing {', '.join(requires)}")
        venv.create(folder, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *requires], check=True, stdout=sys.stderr
        )
    return python
