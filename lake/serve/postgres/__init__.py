"""``brainlake serve postgres``: a lake that answers clients of PostgreSQL (wire protocol 3.0)."""
