package litmus

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A wire forwards every byte between a client and a davd, and records what davd sends.
type wire struct {
	url      string // for the client, without the slash at the end
	upstream string
	listener net.Listener
	conns    sync.WaitGroup

	mu   sync.Mutex
	open []net.Conn
	sent []*bytes.Buffer // what davd has sent, for each connection
}

// A listingSent is a multi-status as davd sent it.
type listingSent struct {
	coding   string
	body     []byte // decoded
	newlines int    // between two response elements
}

func tapWire(t *testing.T, s *server) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "http://" + listener.Addr().String(), upstream: strings.TrimPrefix(s.url, "http://"), listener: listener}
	w.conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.conns.Go(func() { w.pass(conn) })
		}
	})
	t.Cleanup(w.cut)
	return w
}

func (w *wire) pass(client net.Conn) {
	server, err := net.Dial("tcp", w.upstream)
	if err != nil {
		_ = client.Close()
		return
	}
	sent := new(bytes.Buffer)
	w.mu.Lock()
	w.open, w.sent = append(w.open, client, server), append(w.sent, sent)
	w.mu.Unlock()
	w.conns.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, io.TeeReader(server, sent))
	_ = client.Close()
}

// cut closes all connections.
func (w *wire) cut() {
	_ = w.listener.Close()
	w.mu.Lock()
	for _, conn := range w.open {
		_ = conn.Close()
	}
	w.mu.Unlock()
	w.conns.Wait()
}

// listings closes the wire and returns each multi-status that davd has sent. The client must have
// ended.
func (w *wire) listings(t *testing.T) []listingSent {
	t.Helper()
	w.cut()
	var found []listingSent
	for _, sent := range w.sent {
		reader := bufio.NewReader(sent)
		for {
			response, err := http.ReadResponse(reader, nil)
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				break // the end of the connection
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(decoded(t, response))
			if err != nil {
				t.Fatalf("the body of %s: %v", response.Status, err)
			}
			if response.StatusCode == http.StatusMultiStatus {
				newlines := bytes.Count(body, []byte("</D:response>\n"))
				found = append(found, listingSent{response.Header.Get("Content-Encoding"), body, newlines})
			}
		}
	}
	return found
}

// decoded returns the body without its content coding.
func decoded(t *testing.T, response *http.Response) io.Reader {
	t.Helper()
	var reader io.Reader = response.Body
	var err error
	switch coding := response.Header.Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		reader, err = gzip.NewReader(response.Body)
	case "zstd":
		reader, err = zstd.NewReader(response.Body)
	default:
		t.Fatalf("davd sends %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	return reader
}
