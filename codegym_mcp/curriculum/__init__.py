"""The difficulty of generated tasks follows the success of an agent in training."""
