"""What is this line saying? Guesses framing, check and encoding, and drafts a profile."""
