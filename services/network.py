"""What an HTTP call raises when the network, and not the program, is at fault."""

import aiohttp

# aiohttp's own errors are no OSErrors throughout, and its time-outs are TimeoutErrors.
FAULTS = (aiohttp.ClientError, TimeoutError, OSError)
