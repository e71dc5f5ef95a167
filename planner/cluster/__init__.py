"""Density and centres: arrays in, labels out; nothing here knows what the points are."""

from planner.cluster.compact import compact_groups
from planner.cluster.density import dense_groups, group_medoids
from planner.cluster.methods import METHODS, find_groups

__all__ = ["METHODS", "compact_groups", "dense_groups", "find_groups", "group_medoids"]
