"""From a picture to heads and what they wear: the only rooms that know a model."""
