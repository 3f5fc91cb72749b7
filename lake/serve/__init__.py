"""Servers over a lake, one a module: each answers clients of another system from what the lake holds."""
