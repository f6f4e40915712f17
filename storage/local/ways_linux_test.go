package local

// The ways in which a file without a name gets one, for tests.
const (
	ByDescriptor = byDescriptor
	ByProc       = byProc
	ByMagic      = way(-1) // goes nowhere
)

// SetWays has f try no other ways than these.
func (f *FS) SetWays(ways ...way) { f.ways = ways }
