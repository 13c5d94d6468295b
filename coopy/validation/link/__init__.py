"""Summaries -> facts, for the whole program: an interpreter of function bodies on sets of abstract values. Never imports LibCST."""
