"""The server's half of one attempt, written from spec/03 "The server" and spec/08: for attempts in memory and for the vectors.

It has no network, no clock and no disk. It is not the product's server, and shares nothing with it but the documents.
"""
