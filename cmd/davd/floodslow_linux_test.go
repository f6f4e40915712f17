package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// TestFloodSlow opens connections that never finish the header of a request or its body; in a full
// run, 10,000. Other clients are served, the memory is bounded, and the connections end.
func TestFloodSlow(t *testing.T) {
	t.Parallel() // It waits most of the time.
	const header = "PUT /slow HTTP/1.1\r\nHost: localhost\r\n"
	for _, c := range []struct {
		name, sent string
		most       int // MiB
	}{
		{"header", header + "X-A: a", 250},
		{"body", header + "Content-Length: 1000\r\n\r\nx", 700},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var files unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
				t.Fatal(err)
			}
			s := serveFlooded(t, "--stall-timeout", "5s", "--header-timeout", "20s")
			if c.name == "header" {
				s.attackers = 4 // one address gets no 10,000 connections
			}
			n := min(sweep.Size(1000, 10_000), int(min(files.Cur, 1<<20))/2-100)
			start := time.Now()
			conns := s.attack(n, []byte(c.sent))
			s.bounds(c.most)
			t.Logf("%d connections", n)
			for _, conn := range []net.Conn{conns[0], conns[n/2], conns[n-1]} {
				_ = conn.SetReadDeadline(start.Add(servedWithin))
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Fatalf("a connection was not closed after %v: %v", time.Since(start).Round(time.Second), err)
				}
			}
			s.bounds(c.most)
		})
	}
}

// TestFloodLongHeaders sends long headers without an end; in a full run, 5,000. davd closes those
// connections that would take up too much memory.
func TestFloodLongHeaders(t *testing.T) {
	t.Parallel()
	s := serveFlooded(t)
	long := append([]byte("GET /f HTTP/1.1\r\nHost: localhost\r\nIf: "), bytes.Repeat([]byte("x"), 200<<10)...)
	s.attack(sweep.Size(1000, 5000), long)
	s.bounds(400)
}

// TestFloodHTTP2Headers sends HTTP/2 headers without an end; in a full run, on 1,000 connections. Each
// byte stands for a field, so few bytes arrive, and the limit is that of net/http for a connection:
// 256 KiB, counting 35 bytes for each of these fields. A field needs 40 bytes of memory.
func TestFloodHTTP2Headers(t *testing.T) {
	t.Parallel()
	const age = 0x80 | 21 // the field "age" without a value, in the table of RFC 7541, appendix A
	var header bytes.Buffer
	header.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&header, nil)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: bytes.Repeat([]byte{age}, 60_000)}); err != nil {
		t.Fatal(err)
	}
	s := serveFlooded(t)
	n := sweep.Size(300, 1000)
	s.attack(n, header.Bytes())
	s.bounds(60 + n) // about 0.4 MiB for each, and as much garbage
}
