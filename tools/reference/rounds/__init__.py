"""Whole attempts in memory: sites, a server, and what may go wrong between them. For check_attempt.py and the vectors."""
