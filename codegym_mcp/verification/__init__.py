"""Is an environment fit to be served, and what is it worth.

`verify` passes or fails an environment by gates. `audit` measures what can be had from it without thinking
and whether its right answers are right, and grades it.
"""
