"""The rules, by category."""
