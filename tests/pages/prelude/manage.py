"""Marks the root of a project; nothing runs it."""
