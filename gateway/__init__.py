"""Takes messages in from MQTT, stores them, raises alerts and sends receipts to the edge."""
