package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// skip reads and discards a body.
func skip(c *client, body io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, c.buf)
}

// drop discards a body without copying it out of the kernel, if possible.
func drop(c *client, body io.Reader) (int64, error) {
	limited, ok := body.(*io.LimitedReader)
	if !ok {
		return skip(c, body)
	}
	buffered := min(limited.N, int64(c.in.Buffered()))
	if _, err := c.in.Discard(int(buffered)); err != nil {
		return 0, err
	}
	n, err := dropFromKernel(c.conn, limited.N-buffered, c.buf)
	return buffered + n, err
}

// expect returns a reader that requires the body want.
func expect(want []byte) reader {
	return func(c *client, body io.Reader) (int64, error) {
		n, err := io.ReadFull(body, c.buf[:len(want)+1])
		switch {
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF): // the body must end early
			return int64(n), err
		case !bytes.Equal(c.buf[:n], want):
			return int64(n), &wrongError{"different content"}
		}
		return int64(n), nil
	}
}

// longestTag is more than the length of any end tag of a response element, in bytes.
const longestTag = 64

// multistatus returns a reader that requires a complete multi-status with this number of
// response elements.
func multistatus(want int) reader {
	return func(c *client, body io.Reader) (int64, error) {
		var length int64
		count, kept := 0, 0
		for {
			n, err := body.Read(c.buf[kept:])
			length += int64(n)
			data := c.buf[:kept+n]
			count += countEnds(data, kept)
			kept = copy(c.buf, data[max(0, len(data)-longestTag):])
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return length, err
			}
		}
		switch {
		case count != want:
			return length, &wrongError{fmt.Sprintf("%s of %s members", thousands(int64(count)), thousands(int64(want)))}
		case !endsMultistatus(c.buf[:kept]):
			return length, &wrongError{"cut off"}
		}
		return length, nil
	}
}

// endsMultistatus reports whether end is the end of a complete multi-status.
func endsMultistatus(end []byte) bool {
	last := end[max(0, bytes.LastIndexByte(end, '<')):]
	return bytes.HasPrefix(last, []byte("</")) && bytes.HasSuffix(bytes.TrimSpace(last), []byte("multistatus>"))
}

// countEnds counts the end tags of response elements, with any namespace prefix. It omits those
// that lie completely in the first kept bytes of data, which were counted before.
func countEnds(data []byte, kept int) int {
	name := []byte("response>")
	count := 0
	for at := 0; ; {
		i := bytes.Index(data[at:], name)
		if i < 0 {
			return count
		}
		start := at + i
		at = start + len(name)
		if open := bytes.LastIndexByte(data[max(0, start-longestTag):start], '<'); at > kept && open >= 0 {
			tag := data[max(0, start-longestTag)+open : start] // "</" or "</D:"
			if bytes.HasPrefix(tag, []byte("</")) && (len(tag) == 2 || tag[len(tag)-1] == ':') {
				count++
			}
		}
	}
}
