"""What an attempt draws. A test or a vector puts an object with the same methods in its place.

`kind` is that of spec/01's H[share-hash]: 1 the mask key's root and polynomial, 2 the self-mask's.
"""
import secrets

from .sharing import ORDER


class Randomness:
    def root(self, kind):
        """A uniform scalar in 1 ... l - 1 (MK-22, MK-23)."""
        del kind
        return 1 + secrets.randbelow(ORDER - 1)

    def channel_key(self):
        """The X25519 secret for envelopes."""
        return secrets.token_bytes(32)

    def nonce(self):
        """SG-03."""
        return secrets.token_bytes(32)

    def coefficients(self, kind, count):
        """a_1 ... a_count of one polynomial (SS-04)."""
        del kind
        return [secrets.randbelow(ORDER) for _ in range(count)]
