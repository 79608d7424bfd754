"""Protocol cores without I/O: bytes in, frozen events out; no port, no clock, no logging."""
