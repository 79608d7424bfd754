"""What a technician uses: the `foodsentry vision` commands, replay, drawing, scene files."""
