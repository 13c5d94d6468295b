"""The journal: every action, in order, on disk. It never calls anyone; restore and replicas read it by LSN."""
