"""What a file says: knows Python, and nothing of Django."""
