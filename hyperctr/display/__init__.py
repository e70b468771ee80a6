"""How things look: theme, tables, drawings of hypergraphs; used by notebooks, reports and widgets."""
