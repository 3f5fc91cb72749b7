"""Readers: one module per kind of source. A reader yields rows for tables and knows no lake."""
