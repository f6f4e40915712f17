package s3blobs

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	// DefaultMemory is what a Memory has unless it is told otherwise, in bytes.
	DefaultMemory = 256 << 20
	// partSize is the size of a part of an upload in bytes, unless the object is so large that it
	// would have more than maxParts.
	partSize = 8 << 20
	// maxParts is S3's limit.
	maxParts = 10_000
	// oneRequest is the size of an object up to which it is sent with one request, in bytes.
	oneRequest = 2 * partSize
)

// Memory bounds what all uploads of several stores hold at a time. A writer waits for memory only
// while it holds none, so all writers make progress.
type Memory struct {
	total int64
	free  *semaphore.Weighted
	parts sync.Pool // of *[]byte with the capacity partSize
}

// NewMemory returns a Memory of total bytes.
func NewMemory(total int64) *Memory {
	return &Memory{total: total, free: semaphore.NewWeighted(total)}
}

// weight is what a buffer counts. A buffer larger than everything waits until it is the only one.
func (m *Memory) weight(size int) int64 { return min(int64(size), m.total) }

// get returns an empty buffer for size bytes. With wait it waits until there is memory; otherwise
// it may return nil.
func (m *Memory) get(ctx context.Context, size int, wait bool) ([]byte, error) {
	if !m.free.TryAcquire(m.weight(size)) {
		if !wait {
			return nil, nil
		}
		if err := m.free.Acquire(ctx, m.weight(size)); err != nil {
			return nil, err
		}
	}
	if size == partSize {
		if pooled, ok := m.parts.Get().(*[]byte); ok {
			return (*pooled)[:0], nil
		}
	}
	return make([]byte, 0, size), nil
}

// put gives a buffer back.
func (m *Memory) put(buffer []byte) {
	size := cap(buffer)
	if size == partSize {
		m.parts.Put(&buffer)
	}
	m.free.Release(m.weight(size))
}
