"""Virtual instruments and cameras for the demo and the tests; the runtime never imports them."""
