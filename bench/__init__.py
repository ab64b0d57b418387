"""What Tonearm costs, beside what others cost, on the same sound in one run: ``python -m bench``.

Every figure is the CPU time of a process of its own, on one core that it is bound to, with one thread
for every library that asks how many it may use. Before the clock starts, the same work is done once on
the first seconds of the sound, so that neither imports nor compilers are measured.
"""
