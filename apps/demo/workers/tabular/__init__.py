"""Reading, profiling and aggregating CSV files of any size in constant memory.

The modules import nothing from the SDK, so that they can be used and tested as plain Python.
"""
