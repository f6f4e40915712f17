package local

import (
	"context"
	"io/fs"
	"math"
	"math/bits"
	"os"
)

// Space returns how many bytes are used on the filesystem that holds name, and
// how many more this process may use there. Quotas of users don't count.
func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	local, ok := localName(name)
	if !ok {
		return 0, 0, &fs.PathError{Op: "space", Path: name, Err: fs.ErrNotExist}
	}
	file, _, err := f.open(local, os.O_RDONLY, 0)
	if err != nil {
		return 0, 0, f.failed("space", name, err, reading)
	}
	defer file.Close()
	used, available, err = space(file)
	return used, available, f.failed("space", name, err, reading)
}

// saturated is blocks of size bytes each, or as many bytes as can be said.
func saturated(blocks, size uint64) int64 {
	high, low := bits.Mul64(blocks, size)
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}
