"""What miglint holds against a migration: opinions, one a module, each with its page."""
