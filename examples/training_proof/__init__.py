"""The proof that the environments teach: a tiny model before training, after SFT, and after GRPO.

`make proof` runs it, and writes docs/training-proof.md.
"""
