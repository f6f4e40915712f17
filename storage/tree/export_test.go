package tree

// Slots is how many goroutines of the process may work on trees at a time.
func Slots() int64 { return int64(Workers()) }
