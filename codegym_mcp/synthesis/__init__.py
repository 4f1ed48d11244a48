"""From coding problems to environments: with a language model, verified, and published as a set."""
