"""What an action costs on a database."""
