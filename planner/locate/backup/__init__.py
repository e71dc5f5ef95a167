"""Backup coverage: what a second facility within reach is worth beside the first."""
