"""`python -m moonmill`: the command `moonmill`, which is installed beside the interpreter."""

import os
import sys
import sysconfig


def main() -> None:
    """Become the command."""
    path = os.path.join(sysconfig.get_path("scripts"), "moonmill")
    if not os.path.exists(path):
        sys.exit(f"moonmill: {path} is missing; install the package with pip")
    os.execv(path, ["moonmill", *sys.argv[1:]])


if __name__ == "__main__":
    main()
