"""Reads classes in the CodeGym format (arXiv 2509.17325) as environments."""
