"""miglint tells a Django team what a migration will do before anyone runs it."""

__version__ = "0.1.0"
