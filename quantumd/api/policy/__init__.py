"""Who may do what: rules by name in the language of oslo.policy, compiled once."""
