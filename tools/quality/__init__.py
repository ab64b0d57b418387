"""Hold the sound against what must be true of it, and write ``docs/quality.md``.

Run as ``make quality MUSIC=DIR``. The checks are also those of ``tests/quality``, on less material; the
meters are in ``tests/support``, which must be on the path. None of them is the program's own.
"""
