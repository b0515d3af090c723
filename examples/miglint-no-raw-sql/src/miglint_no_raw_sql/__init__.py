"""House rules for miglint: what this package holds under `rules/` is found by walking, nothing registers."""
