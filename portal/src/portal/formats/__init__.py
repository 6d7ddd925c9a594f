"""How dates are written: the same everywhere, sortable, in UTC."""
