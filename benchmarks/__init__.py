"""Side by side with peers: every number of ours beside the peer's, from the same data, in the same run.

``python -m benchmarks`` runs all, ``python -m benchmarks --help`` lists them.
"""
