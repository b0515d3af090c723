"""Rules about the graph: Django would refuse, or mean something else."""
