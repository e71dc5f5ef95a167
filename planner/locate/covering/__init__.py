"""Maximal covering and its kin: the most weight within reach."""
