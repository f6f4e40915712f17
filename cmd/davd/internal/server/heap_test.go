package server

import (
	"runtime"
	"testing"
)

// TestHeapFloor checks that a small heap is not collected before there is enough garbage, and
// that the settings of the operator take precedence.
func TestHeapFloor(t *testing.T) {
	for _, tt := range []struct {
		name, gogc, limit string
		raised            bool
	}{
		{"by default", "", "", true},
		{"GOGC is set", "100", "", false},
		{"GOMEMLIMIT is set", "", "1GiB", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOGC", tt.gogc)
			t.Setenv("GOMEMLIMIT", tt.limit)
			before := nextGC()
			lower := raiseHeapFloor()
			raised := nextGC() >= before+heapFloor
			lower()
			if raised != tt.raised {
				t.Errorf("raised: %v, want %v", raised, tt.raised)
			}
			if after := nextGC(); after >= before+heapFloor {
				t.Errorf("afterwards the next collection is at %d bytes, before at %d", after, before)
			}
		})
	}
}

// nextGC returns the size of the heap, in bytes, at which it is collected next.
func nextGC() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.NextGC
}
