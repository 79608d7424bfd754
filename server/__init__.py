"""API, supervisors' console, public pages and the live stream."""
