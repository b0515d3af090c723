"""edx-enterprise with its integrated channels, as its own tests set it up."""

from enterprise.settings.test import *
