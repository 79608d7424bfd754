"""From what has changed to facts that leave: evidence with hidden faces, signed, in order."""
