// Package sweep chooses which cases of an exhaustive test run. Such a test makes every call
// fail, or kills a program at every step, which takes many minutes.
//
// With DAVD_SWEEP=1 in the environment, all cases run: that is `make sweep`. Otherwise a
// random sample runs. Its seed is in the log of the test, and so in the output if the test
// fails. DAVD_SEED repeats the sample.
package sweep

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// All reports whether all cases must run.
func All() bool { return os.Getenv("DAVD_SWEEP") == "1" }

// seed returns the seed of this process.
var seed = sync.OnceValue(func() uint64 {
	if again, err := strconv.ParseUint(os.Getenv("DAVD_SEED"), 10, 64); err == nil {
		return again
	}
	return rand.Uint64()
})

// Random returns random numbers that depend on the seed and on the name of the test, and
// logs the seed.
func Random(tb testing.TB) *rand.Rand {
	tb.Helper()
	tb.Logf("DAVD_SEED=%d repeats this choice", seed())
	name := fnv.New64a()
	_, _ = name.Write([]byte(tb.Name()))
	return rand.New(rand.NewPCG(seed(), name.Sum64()))
}

// Sample returns some of the cases, in their order, or all of them in a sweep.
func Sample[T any](tb testing.TB, cases []T, some int) []T {
	tb.Helper()
	if All() || some >= len(cases) {
		return cases
	}
	chosen := Random(tb).Perm(len(cases))[:some]
	slices.Sort(chosen)
	sample := make([]T, some)
	for i, n := range chosen {
		sample[i] = cases[n]
	}
	return sample
}

// Steps returns some of the numbers from 1 to n, in order, or all of them in a sweep.
func Steps(tb testing.TB, n, some int) []int {
	tb.Helper()
	steps := make([]int, n)
	for i := range steps {
		steps[i] = i + 1
	}
	return Sample(tb, steps, some)
}

// Size returns the size of a test that takes long: all in a sweep, some otherwise.
func Size[T any](some, all T) T {
	if All() {
		return all
	}
	return some
}
