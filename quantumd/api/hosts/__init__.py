"""The server's side of hosts: tells them what they must know, answers their comparisons, takes their reports."""
