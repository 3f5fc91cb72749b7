"""Pictures of relations, one module per schema."""
