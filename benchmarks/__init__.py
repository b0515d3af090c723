"""How long reading takes, in proportion to LibCST's bare parse."""
