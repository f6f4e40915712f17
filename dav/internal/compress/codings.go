package compress

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

// encoder compresses what is written to it. After Flush, the client can decode
// everything written so far.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// contentCoding is a content coding (RFC 9110 §8.4.1) that davd supports. The best has
// the smallest number.
type contentCoding int

const (
	codingZstd contentCoding = iota
	codingGzip
	codings // their number
)

func (c contentCoding) String() string { return [codings]string{"zstd", "gzip"}[c] }

// Encoders limits how many answers are compressed at a time, and reuses their encoders.
// The zero value is ready to use.
type Encoders struct {
	inUse atomic.Int32
	spare [codings]sync.Pool
}

// take returns an encoder that writes to w, or nil if too many are in use.
func (e *Encoders) take(c contentCoding, w io.Writer) encoder {
	if e.inUse.Add(1) > maxEncoders {
		e.inUse.Add(-1)
		return nil
	}
	taken, ok := e.spare[c].Get().(encoder)
	if !ok {
		taken = newEncoder(c)
	}
	taken.Reset(w)
	return taken
}

func (e *Encoders) giveBack(c contentCoding, taken encoder) {
	taken.Reset(nil) // so that it doesn't keep the connection
	e.spare[c].Put(taken)
	e.inUse.Add(-1)
}

// zstdWindow is how far back an encoder looks, in bytes. That is enough because a
// listing repeats itself from one element to the next.
const zstdWindow = 128 << 10

func newEncoder(c contentCoding) encoder {
	if c == codingGzip {
		e, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is wrong
		}
		return e
	}
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // an option is wrong
	}
	return e
}

// acceptedCoding returns the coding for a client that sent values in Accept-Encoding,
// if it accepts one (RFC 9110 §12.5.3). must says that the client refuses an uncompressed
// answer.
func acceptedCoding(values []string) (best contentCoding, ok, must bool) {
	const absent = -1
	identity, others := absent, absent
	var weights [codings]int
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
			for c := range codings {
				if c.String() == name {
					weights[c] = w
				}
			}
		}
	}
	if identity == absent && others == 0 {
		identity = 0
	}
	// A coding that the client doesn't name is the last choice, even if it is identity.
	most := max(identity, 1)
	for c := range codings {
		w := weights[c]
		if w == absent {
			w = others
		}
		if w >= most && (!ok || w > most) {
			best, ok, most = c, true, w
		}
	}
	return best, ok, ok && identity == 0
}
