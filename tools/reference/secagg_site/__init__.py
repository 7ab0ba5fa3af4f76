"""An independent SecAgg site in Python, written from spec/ and spec/proto/; `site.py` is its command line.

It exists to show that the documents suffice, and to test the server against code that shares nothing with it. Python cannot erase
memory: secrets are dropped as soon as spec/03 asks for it (SA-122), but not overwritten. Use the Swift client where that matters.
"""
