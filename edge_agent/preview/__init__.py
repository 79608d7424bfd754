"""The preview page: what a technician sees of the cameras, live, in a browser at the site.

A witness (`board`) keeps each camera's newest look; pictures are made when somebody asks for one.
Nothing here can slow a camera, and no picture is stored.
"""
