"""What the data are worth: what was read and lost, when and where they are, and what to mend."""

from planner.quality.measure import MEASURED, measure_quality
from planner.quality.rows import input_rows
from planner.quality.verdict import judge
from planner.quality.warnings import find_warnings

__all__ = ["MEASURED", "find_warnings", "input_rows", "judge", "measure_quality"]
