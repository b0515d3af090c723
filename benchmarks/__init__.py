"""How long miglint takes, in proportion to LibCST's bare parse."""
