package server

// fileLimit returns how many files this process may have open. Windows allows millions of
// handles.
func fileLimit() uint64 { return 1 << 20 }
