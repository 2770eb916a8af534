"""What commands take and give, read out of their annotations. Nothing of it is imported for a module without any."""
