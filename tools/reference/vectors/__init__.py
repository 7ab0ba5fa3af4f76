"""The cases of spec/vectors: how they are made (make_vectors.py) and replayed (check_vectors.py)."""
