"""The data plane's edge: raw ASGI in, the pipeline behind it, one error renderer."""
