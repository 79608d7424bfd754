"""A city of virtual agents in one process: real MQTT, the real sending protocol, known totals."""
