package s3blobs

import (
	"context"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sendAtOnce is the least number of bytes for which SendTo bypasses net/http. The connection
	// can't be used again afterwards.
	sendAtOnce = 1 << 20
	// sendStep is how much is sent before the deadline is set again, in bytes.
	sendStep = 4 << 20
	// bufferSize is the size of the buffer of SendTo, in bytes. It is at least readBuffer.
	bufferSize = 256 << 10
)

var buffers = &sync.Pool{New: func() any { return new([bufferSize]byte) }} //nolint:gochecknoglobals // memory alone

// counted is a connection that counts its reads.
type counted struct {
	*net.TCPConn

	reads atomic.Int64
}

// Read implements net.Conn.
func (c *counted) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.TCPConn.Read(p)
}

// dial returns connections whose reads are counted.
func dial(dialer *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			return &counted{TCPConn: tcp}, nil
		}
		return conn, err
	}
}

// traced returns a context for a request that notes its connection, unless that has TLS.
func (r *reader) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		r.conn, _ = got.Conn.(*counted)
	}})
}

// SendTo sends the next n bytes to w. Without TLS, the kernel moves most of them from one
// connection to the other, if it can.
func (r *reader) SendTo(w io.Writer, n int64) (sent int64, err error) {
	buffer := buffers.Get().(*[bufferSize]byte) //nolint:forcetypeassert // nothing else is in it
	defer buffers.Put(buffer)
	empty := false // net/http has no bytes of the object in its buffer
	for sent < n {
		if empty && n-sent >= sendAtOnce {
			moved := r.move(w, n-sent)
			sent, empty = sent+moved, false
			continue
		}
		conn, reads := r.conn, int64(0)
		if conn != nil {
			reads = conn.reads.Load()
		}
		p := buffer[:min(n-sent, bufferSize)]
		got, err := r.Read(p)
		// A read of at least the size of the buffer bypasses that, if it is empty.
		empty = conn != nil && conn == r.conn && len(p) == bufferSize && r.left >= 0 && conn.reads.Load() > reads
		if got > 0 {
			written, err := w.Write(p[:got])
			if sent += int64(written); err != nil {
				return sent, err
			}
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// move sends up to n bytes from the connection itself. After an error, of whatever side, the rest
// has to be sent by other means. The connection is closed then, and also if all went well.
func (r *reader) move(w io.Writer, n int64) (moved int64) {
	n = min(n, r.left)
	for moved < n {
		_ = r.conn.SetReadDeadline(time.Now().Add(stallTimeout)) // fails only if it is closed
		step, err := io.CopyN(w, r.conn.TCPConn, min(n-moved, sendStep))
		moved += step
		if err != nil {
			break
		}
	}
	r.offset += moved
	_ = r.disconnect()
	r.again = true
	return moved
}
