"""The bars of the appliance, measured on the real thing."""
