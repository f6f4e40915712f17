package local

import (
	"context"
	"io/fs"
	"math"
	"math/bits"
	"os"
)

// Space returns how many bytes are used on the filesystem that contains name, and how many
// more this process may use. It ignores quotas of users.
func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	local, err := started(ctx, "space", name, fs.ErrNotExist)
	if err != nil {
		return 0, 0, err
	}
	file, _, err := f.open(local, os.O_RDONLY, 0)
	if err != nil {
		return 0, 0, f.failed("space", name, err, reading)
	}
	defer file.Close()
	used, available, err = space(file)
	return used, available, f.failed("space", name, err, reading)
}

// saturated returns blocks times size, in bytes, but math.MaxInt64 at most.
func saturated(blocks, size uint64) int64 {
	high, low := bits.Mul64(blocks, size)
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}
