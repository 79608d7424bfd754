"""Where pictures come from: streams, files, cameras on the wire, and how they are found."""
