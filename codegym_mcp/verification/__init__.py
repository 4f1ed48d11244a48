"""Quality checks of environments.

`gates` decides whether an environment may be served. `audit` measures how well it trains or tests an agent
and grades it. `batch` does both for many environments.
"""
