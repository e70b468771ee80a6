"""The hypergraph inspector: scenes (what there is to see), scores (why this one), pictures and files of both."""
