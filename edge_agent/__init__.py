"""What runs in the testing room, the van and the canteen: instruments, cameras, outbox, uplink."""
