"""Rules about locks: a live table stops answering."""
