"""Every page of the console: what it is, where it is found in a town, and pictures of it."""
