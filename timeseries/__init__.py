"""The measurements over time: one port; doors to InfluxDB (v1, v2) and to a SQLite file."""
