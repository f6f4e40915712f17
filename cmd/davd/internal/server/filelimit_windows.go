package server

// fileLimit is how many files this process may have open. Windows has room for
// millions of handles.
func fileLimit() uint64 { return 1 << 20 }
