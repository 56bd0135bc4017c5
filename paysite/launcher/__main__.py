"""`python3 -m paysite.launcher run|test|check|bench`; the Makefile calls it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- an older Python must be told, not met with a traceback
    sys.exit("Python 3.11 or newer is needed. Set PYTHON, for example: make run PYTHON=python3.12")

from paysite.launcher.command import main

sys.exit(main(sys.argv[1:]))
