"""ONVIF: finds cameras on the network, asks them for their streams and their clock."""

from edge_agent.cameras.sources.onvif.device import clock_offset

__all__ = ["clock_offset"]
