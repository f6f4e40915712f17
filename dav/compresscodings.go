package dav

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/davd/davd/dav/internal/field"
)

// maxEncoders is how many answers are compressed at a time. Further ones are sent
// uncompressed. An encoder takes up to 0.8 MiB.
const maxEncoders = 64

var encodersInUse atomic.Int32

// encoder compresses what is written to it. After Flush, the client can decode
// everything written so far.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// contentCoding is a content coding (RFC 9110 §8.4.1).
type contentCoding struct {
	name  string
	spare sync.Pool // of encoders
}

// encoder returns an encoder that writes to w, or nil if too many are in use.
func (c *contentCoding) encoder(w io.Writer) encoder {
	if encodersInUse.Add(1) > maxEncoders {
		encodersInUse.Add(-1)
		return nil
	}
	e := c.spare.Get().(encoder) //nolint:forcetypeassert // nothing else is in it
	e.Reset(w)
	return e
}

func (c *contentCoding) release(e encoder) {
	e.Reset(nil) // so that it doesn't keep the connection
	c.spare.Put(e)
	encodersInUse.Add(-1)
}

// zstdWindow is how far back an encoder looks, in bytes. That is enough because a
// listing repeats itself from one element to the next.
const zstdWindow = 128 << 10

// contentCodings are the codings that davd supports, the best first.
var contentCodings = [...]*contentCoding{
	{name: "zstd", spare: sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // an option is wrong
		}
		return e
	}}},
	{name: "gzip", spare: sync.Pool{New: func() any {
		e, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is wrong
		}
		return e
	}}},
}

// acceptedCoding returns the coding for a client that sent values in Accept-Encoding,
// or nil for no coding (RFC 9110 §12.5.3). must says that the client refuses an
// uncompressed answer.
func acceptedCoding(values []string) (best *contentCoding, must bool) {
	const absent = -1
	identity, others := absent, absent
	var weights [len(contentCodings)]int
	for i := range weights {
		weights[i] = absent
	}
	for element := range field.Elements(values) {
		name, parameters, _ := strings.Cut(element, ";")
		w, ok := field.Weight(parameters)
		if !ok {
			continue
		}
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "identity":
			identity = w
		case "*":
			others = w
		case "x-gzip": // RFC 9110 §8.4.1.3
			name = "gzip"
			fallthrough
		default:
			for i, c := range contentCodings {
				if c.name == name {
					weights[i] = w
				}
			}
		}
	}
	if identity == absent && others == 0 {
		identity = 0
	}
	// A coding that the client doesn't name is the last choice, even if it is identity.
	most := max(identity, 1)
	for i, c := range contentCodings {
		w := weights[i]
		if w == absent {
			w = others
		}
		if w >= most && (best == nil || w > most) {
			best, most = c, w
		}
	}
	return best, best != nil && identity == 0
}
