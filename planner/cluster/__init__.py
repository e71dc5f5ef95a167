"""Density and centres: arrays in, labels out; nothing here knows what the points are."""

from planner.cluster.density import dense_groups, group_medoids

__all__ = ["dense_groups", "group_medoids"]
