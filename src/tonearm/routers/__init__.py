"""Requests come in: HTTP and the WebSocket, one file per noun. The only package that knows FastAPI."""
