"""`python -m miglint`: the same program as the `miglint` script."""

from miglint.cli import main

if __name__ == "__main__":
    main()
