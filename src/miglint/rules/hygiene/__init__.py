"""Rules about hygiene: what is confusing today and costs time later."""
