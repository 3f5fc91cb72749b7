"""``brainlake serve flight``: a lake as an Arrow Flight SQL server."""
