"""Friendly parking: bays where riders stop briefly, sized by queueing, linked to stations."""

from planner.parking.choose import choose_parking

__all__ = ["choose_parking"]
