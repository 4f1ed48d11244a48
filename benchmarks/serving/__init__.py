"""Parts of the benchmarks `serve.py` and `abuse.py`: a bare server, a tool, cheap drivers, misuse."""
