"""Rules about how migrations are written."""
