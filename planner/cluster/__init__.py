"""Density and centres: arrays in, labels out; nothing here knows what the points are."""

from planner.cluster.compact import compact_groups
from planner.cluster.density import dense_groups, group_medoids

__all__ = ["compact_groups", "dense_groups", "group_medoids"]
