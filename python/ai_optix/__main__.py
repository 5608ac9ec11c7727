"""The command line, ``python -m ai_optix``: becomes the program ``optix`` that comes with the package."""

import os
import signal
import subprocess
import sys

from . import _host


def main():
    """Runs the command line with this process's arguments and ends with its exit code."""
    command = [_host.program(), *sys.argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    # The console sends Ctrl-C to both processes; the program decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command))


if __name__ == "__main__":
    main()
