class MemoryOvsdb: pass
