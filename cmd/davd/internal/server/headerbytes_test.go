package server

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// TestHeaderBytes checks that unfinished headers count, that most headers don't, and that nothing is
// left of them when they are complete.
func TestHeaderBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var all headers
	connect := func() (net.Conn, *counted) {
		t.Helper()
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		served, ok := all.count(conn).(*counted)
		if !ok {
			t.Fatalf("%T is not counted", conn)
		}
		return client, served
	}
	send := func(client net.Conn, served *counted, n int) error {
		t.Helper()
		go func() { _, _ = client.Write(bytes.Repeat([]byte("x"), n)) }()
		_, err := io.ReadFull(served, make([]byte, n))
		return err
	}
	client, served := connect()
	for _, step := range []struct {
		n    int
		want int64
	}{{freeHeader, 0}, {100, 100}, {5000, 5100}} {
		if err := send(client, served, step.n); err != nil || all.bytes.Load() != step.want {
			t.Errorf("after %d bytes: %d count, want %d; error %v", step.n, all.bytes.Load(), step.want, err)
		}
	}
	served.expect(false)
	if err := send(client, served, 1<<20); err != nil || all.bytes.Load() != 0 {
		t.Errorf("a body counts: %d, error %v", all.bytes.Load(), err)
	}
	served.expect(true)
	all.bytes.Store(maxHeaders)
	if err := send(client, served, freeHeader); err != nil {
		t.Errorf("a short header: %v", err)
	}
	if err := send(client, served, 1); err == nil {
		t.Error("a long header is accepted")
	}
}
