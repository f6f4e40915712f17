package accesslog

import (
	"io"
	"sync/atomic"
)

// countedBody is the body of a request. It counts the bytes that were read. Another goroutine may
// still be reading when the request ends.
type countedBody struct {
	io.ReadCloser
	read atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}
