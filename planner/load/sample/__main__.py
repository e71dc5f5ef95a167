"""``python -m planner.load.sample DIR [SEED]`` writes the sample city."""

import sys

from planner.load.sample import write_sample

if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: python -m planner.load.sample DIR [SEED]")
    write_sample(sys.argv[1], seed=int(sys.argv[2]) if len(sys.argv) == 3 else 0)
