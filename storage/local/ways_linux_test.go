package local

// These are the ways to name a file that has no name, for tests.
const (
	ByDescriptor = byDescriptor
	ByProc       = byProc
	ByMagic      = way(-1) // never works
)

// SetWays makes f try only these ways.
func (f *FS) SetWays(ways ...way) { f.ways = ways }
