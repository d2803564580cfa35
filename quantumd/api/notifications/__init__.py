"""What changed, told to other services as oslo.messaging's notifications: Ceilometer and others read them."""
