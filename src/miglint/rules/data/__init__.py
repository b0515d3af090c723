"""Rules about data migrations: RunPython and RunSQL."""
