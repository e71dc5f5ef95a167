"""Covering under capacities: the most demand that seats, desks or bays can serve."""
