"""The HTTP service ``vcid serve``: VCALM's endpoints and the DID Resolution binding, over the library."""
