package local

import (
	"math"
	"testing"
)

func TestSaturated(t *testing.T) {
	for _, test := range []struct {
		blocks, size uint64
		want         int64
	}{
		{0, 4096, 0},
		{3, 4096, 12288},
		{1 << 51, 1 << 11, 1 << 62},
		{1 << 51, 1 << 12, math.MaxInt64},
		{math.MaxInt64, 1, math.MaxInt64},
		{1 << 63, 1, math.MaxInt64},
		{math.MaxUint64, 4096, math.MaxInt64},
	} {
		if got := saturated(test.blocks, test.size); got != test.want {
			t.Errorf("%d blocks of %d bytes: %d, want %d", test.blocks, test.size, got, test.want)
		}
	}
}
