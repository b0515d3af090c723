"""`python -m miglint`: the same program as the `miglint` script."""

import os
import sys


def _leave_the_project_out() -> None:
    """Takes the working directory, which `-m` puts first, out of where modules are looked for.

    A project's own `calendar` or `click` would be run in place of the one that is meant.
    """
    try:
        here = os.getcwd()
    except OSError:
        return
    if sys.path[:1] == [here]:
        del sys.path[0]


if __name__ == "__main__":
    _leave_the_project_out()

    from miglint.cli import main

    main()
