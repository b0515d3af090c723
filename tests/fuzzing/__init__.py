"""Inputs that nobody would write, made of those that people wrote: whatever is read, the answer is a valid report.

`python -m tests.fuzzing --inputs 100000 --seed 7` makes and runs that many; a few hundred are part of the tests.
"""
