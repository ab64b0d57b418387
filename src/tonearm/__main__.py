"""``python -m tonearm`` and the ``tonearm`` command."""

from tonearm.cli import main

if __name__ == "__main__":
    main()
