"""The way to the city: sends what the outbox holds, until it is receipted."""
