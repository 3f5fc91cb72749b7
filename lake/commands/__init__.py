"""The commands of ``brainlake``, by what people want: bring, ask, keep, work on files."""
