"""Pages of the findings about the analysis, which have no generator."""
