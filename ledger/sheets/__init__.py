"""What is administered, as sheets of text cells, which files, forms and commands read alike."""
