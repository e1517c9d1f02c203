"""``python -m grubio`` is the command ``grubio``."""

from grubio.cli import main

if __name__ == "__main__":
    main()
