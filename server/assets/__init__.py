"""The console's scripts and styles: their sources, their build, and where the built files are."""
