"""The chart as a cluster would get it: rendered by Helm's own code, without a helm binary, a cluster or a network."""
