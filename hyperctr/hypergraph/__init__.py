"""Hypergraphs: the container, interest (Eq. 9-10), builders (Eq. 11), sampling, statistics, conversion."""
