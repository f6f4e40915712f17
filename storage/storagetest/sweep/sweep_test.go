package sweep

import (
	"slices"
	"testing"
)

func TestSample(t *testing.T) {
	t.Setenv("DAVD_SWEEP", "")
	first := Steps(t, 100, 10)
	if len(first) != 10 || !slices.IsSorted(first) || len(slices.Compact(slices.Clone(first))) != 10 || first[0] < 1 || first[9] > 100 {
		t.Errorf("the sample is %v", first)
	}
	if again := Steps(t, 100, 10); !slices.Equal(again, first) {
		t.Errorf("the same test gets %v, then %v", first, again)
	}
	t.Run("another", func(t *testing.T) {
		if other := Steps(t, 100, 10); slices.Equal(other, first) {
			t.Errorf("another test gets %v too", other)
		}
	})
	if few := Steps(t, 3, 10); !slices.Equal(few, []int{1, 2, 3}) {
		t.Errorf("of three, the sample is %v", few)
	}
	t.Setenv("DAVD_SWEEP", "1")
	if all := Steps(t, 100, 10); len(all) != 100 || !All() || Size(1, 2) != 2 {
		t.Errorf("a sweep has %d of 100 steps", len(all))
	}
}
