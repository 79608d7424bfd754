"""What `foodsentry gateway setup-influx` does: retention and means, on each kind of server."""
