package storagetest

import (
	"slices"
	"testing"
)

// TestTiers checks that the table of tiers names only checks, and that each tier has some.
func TestTiers(t *testing.T) {
	all := checks()
	number := map[Tier]int{}
	for _, c := range all {
		number[tierOf(c.name)]++
	}
	for name := range tiers {
		if !slices.ContainsFunc(all, func(c check) bool { return c.name == name }) {
			t.Errorf("%s is no check", name)
		}
	}
	if len(number) != 3 || number[Required] < 40 || number[Optional] < 5 {
		t.Errorf("%v checks", number)
	}
}
