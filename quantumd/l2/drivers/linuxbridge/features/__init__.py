"""What each of the keys asks for, made of the parts in the modules beside this one. Pure."""
