"""Training sets from runs: trajectories chosen, and written in the shapes that trainers read."""
