"""CPU seconds and memory of the process that asks, and calls timed in turn."""

import gc
import os
import sys
import time
from pathlib import Path


class Clock:
    """CPU seconds of this process and of children that have ended."""

    def __enter__(self):
        self.start = used_seconds()
        return self

    def __exit__(self, *_):
        self.seconds = used_seconds() - self.start


def used_seconds():
    """User and system time, of all threads."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def peak_bytes():
    """Most memory this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():  # not ru_maxrss, which remembers the process that started this one
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def take_turns(calls, rounds):
    """Time calls in turn; return the least CPU seconds of each, and what each returned last.

    Parameters
    ----------
    calls
        Name → function without arguments.
    rounds
        Name → how often it runs.
    """
    seconds = dict.fromkeys(calls, float("inf"))
    answers = {}
    gc.collect()
    for turn in range(max(rounds.values())):
        for name, call in calls.items():
            if turn >= rounds[name]:
                continue
            answers.pop(name, None)
            start = time.process_time()
            answers[name] = call()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds, answers
