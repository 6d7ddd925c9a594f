"""The janitor: finds what crashes left behind, says so, and removes what is provably over."""
