"""The roads to people: one file for each kind of channel, behind one small protocol."""
