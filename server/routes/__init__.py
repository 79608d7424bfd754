"""The console's routes, a file a noun; each route's signature says what it needs."""
