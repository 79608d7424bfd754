"""A made-up district: as many establishments, devices and alerts as one asks for, in seconds."""
