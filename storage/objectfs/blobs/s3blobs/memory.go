package s3blobs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
)

const (
	// DefaultMemory is what a Memory has unless it is told otherwise, in bytes.
	DefaultMemory = 256 << 20
	// DefaultSpool is how much a Memory may have in temporary files, in bytes.
	DefaultSpool = 1 << 30
	// partSize is the size of a part of an upload in bytes, unless the object is so large that it
	// would have more than maxParts.
	partSize = 8 << 20
	// maxParts is S3's limit.
	maxParts = 10_000
	// oneRequest is the size of an object up to which it is sent with one request, in bytes.
	oneRequest = 2 * partSize
	// memoryWait is how long a writer waits for memory before it takes a temporary file. While all
	// uploads are fast, there is memory again sooner.
	memoryWait = time.Second
	// lastWait is how long it then waits if it can't get a temporary file either.
	lastWait = 30 * time.Second
)

// errNoMemory is the error of a writer that has waited in vain.
var errNoMemory = fmt.Errorf("%w: slow uploads hold all memory for uploads", storage.ErrUnavailable)

// Memory bounds what all uploads of several stores hold at a time. Slow uploads can hold all of it for
// hours. So an upload that finds no memory has its parts in temporary files.
//
// A writer waits only while it holds no memory, so all writers make progress.
type Memory struct {
	total int64
	free  *semaphore.Weighted
	parts sync.Pool // of *[]byte with the capacity partSize

	spool   int64 // how much there may be in temporary files before others are refused
	spooled atomic.Int64
}

// NewMemory returns a Memory of total bytes, and about spool bytes in temporary files. An upload that
// gets neither in time fails with storage.ErrUnavailable.
func NewMemory(total, spool int64) *Memory {
	return &Memory{total: total, free: semaphore.NewWeighted(total), spool: spool}
}

// weight is what a buffer counts. A buffer larger than everything waits until it is the only one.
func (m *Memory) weight(size int) int64 { return min(int64(size), m.total) }

// try returns an empty buffer for size bytes in memory, or nil.
func (m *Memory) try(size int) *buffer {
	if !m.free.TryAcquire(m.weight(size)) {
		return nil
	}
	return m.buffer(size)
}

// buffer returns a buffer whose memory was acquired.
func (m *Memory) buffer(size int) *buffer {
	if size == partSize {
		if pooled, ok := m.parts.Get().(*[]byte); ok {
			return &buffer{limit: size, memory: (*pooled)[:0]}
		}
	}
	return &buffer{limit: size, memory: make([]byte, 0, size)}
}

// wait returns an empty buffer for size bytes: in memory if there is some soon, otherwise in a
// temporary file. The caller must hold no memory.
func (m *Memory) wait(ctx context.Context, size int) (*buffer, error) {
	if b, err := m.acquire(ctx, size, memoryWait); b != nil || err != nil {
		return b, err
	}
	if b := m.file(size); b != nil {
		return b, nil
	}
	b, err := m.acquire(ctx, size, lastWait)
	if b == nil && err == nil {
		err = errNoMemory
	}
	return b, err
}

// acquire returns a buffer in memory, or nil if there is none for so long.
func (m *Memory) acquire(ctx context.Context, size int, long time.Duration) (*buffer, error) {
	limited, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	switch err := m.free.Acquire(limited, m.weight(size)); {
	case err == nil:
		return m.buffer(size), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, nil //nolint:nilnil // it is no error that there is none
}

// file returns an empty buffer for size bytes in a temporary file, or nil.
func (m *Memory) file(size int) *buffer {
	if m.spooled.Load() >= m.spool {
		return nil
	}
	file, err := blobs.NewTemporary()
	if err != nil {
		return nil // There is no directory for it, or it is read-only.
	}
	return &buffer{limit: size, file: &file}
}

// write writes to a buffer of this Memory.
func (m *Memory) write(b *buffer, p []byte) (int, error) {
	n, err := b.Write(p)
	if b.file != nil {
		m.spooled.Add(int64(n))
	}
	if err != nil {
		err = fmt.Errorf("%w: a temporary file: %v", storage.ErrUnavailable, err) //nolint:errorlint // it is not the storage that is full
	}
	return n, err
}

// put gives a buffer back.
func (m *Memory) put(b *buffer) {
	if b.file != nil {
		m.spooled.Add(-int64(b.size))
		_ = b.file.Close() // It is empty or was sent.
		return
	}
	if b.limit == partSize {
		m.parts.Put(&b.memory)
	}
	m.free.Release(m.weight(b.limit))
}
