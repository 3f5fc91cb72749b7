"""The engine: catalogue, writer, session, relations, and the surfaces people meet."""
