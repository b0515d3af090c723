"""Rules about history: what git says of a migration."""
