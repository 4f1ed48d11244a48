"""What `benchmarks/serve.py` measures with: a bare server, a tool, and cheap drivers."""
