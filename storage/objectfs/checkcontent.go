package objectfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/davd/davd/storage/objectfs/names"
)

// checkReaders is how many objects a check reads at a time. Most of the time of a small one is the
// answer's way.
const checkReaders = 8

// contentRead is what was read of an object.
type contentRead struct {
	row  names.Object
	sum  []byte
	read int64
	err  error
}

// read reads an object in the background, and compares one that was read before.
func (c *checking) read(ctx context.Context, row names.Object) error {
	if c.results == nil {
		c.results = make(chan contentRead, checkReaders)
	}
	if c.reading == checkReaders {
		if err := c.verify(ctx, <-c.results); err != nil {
			return err
		}
	}
	c.reading++
	go func() {
		r := contentRead{row: row}
		r.sum, r.read, r.err = c.sum(ctx, row.Key)
		c.results <- r
	}()
	return nil
}

// sum returns the SHA-256 of an object and its size.
func (c *checking) sum(ctx context.Context, key string) ([]byte, int64, error) {
	content, err := c.blobs.Open(ctx, key, 0, -1)
	if err != nil {
		return nil, 0, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, content)
	return sum.Sum(nil), n, errors.Join(err, content.Close())
}

// verify compares what was read of an object.
func (c *checking) verify(ctx context.Context, r contentRead) error {
	c.reading--
	c.Read += r.read
	switch {
	case isMissing(r.err): // It was there a moment ago.
		c.Files--
		c.Bytes -= r.row.Size
		return c.lost(ctx, r.row)
	case r.err != nil:
		return r.err
	case r.row.SHA256 == nil:
		c.Unknown++
	case !bytes.Equal(r.sum, r.row.SHA256):
		c.Corrupt++
		c.found(Problem{Kind: Corrupt, Key: r.row.Key, Name: r.row.Name, Want: r.row.Size, Have: r.read})
	}
	return nil
}

// finishReading waits for the objects that are still being read.
func (c *checking) finishReading(ctx context.Context) (err error) {
	for c.reading > 0 {
		err = errors.Join(err, c.verify(ctx, <-c.results))
	}
	return err
}
