"""A generation server with ImagePipeline's HTTP API, run on its own with ``python -m engine``."""
