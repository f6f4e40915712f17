package litmus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A proxy runs between a client and a davd. It forwards every byte unchanged and records the
// exchanges.
type proxy struct {
	url      string // for the client, without the slash at the end
	upstream string
	listener net.Listener
	conns    sync.WaitGroup

	mu        sync.Mutex
	open      map[net.Conn]struct{}
	exchanges []*exchange
	grown     chan struct{} // closed when exchanges change
	err       error         // of parsing the exchanges
}

// An exchange is a request with its responses.
type exchange struct {
	method, path, agent string
	// interim are the headers of the 102 (Processing) responses.
	interim []http.Header
	// status is the status of the final response, or 0 if the client disconnected before it.
	status int
	// ended says that the final response is complete, or will not come.
	ended bool
	start time.Time
	took  time.Duration
}

func (e *exchange) String() string {
	return fmt.Sprintf("%s %s: %d interim, status %d, %v, %s", e.method, e.path, len(e.interim), e.status, e.took.Round(time.Millisecond), e.agent)
}

// listenBefore starts a proxy in front of s.
func listenBefore(t *testing.T, s *server) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		url: "http://" + listener.Addr().String(), upstream: upstream.Host, listener: listener,
		open: make(map[net.Conn]struct{}), grown: make(chan struct{}),
	}
	p.conns.Add(1)
	go p.accept()
	t.Cleanup(func() {
		exchanges := p.cut(t)
		if t.Failed() {
			for _, e := range exchanges {
				t.Log(e)
			}
		}
	})
	return p
}

// finish waits until the client has closed its connections, and stops the proxy. It returns all
// exchanges in the order of the requests.
func (p *proxy) finish(t *testing.T) []*exchange {
	t.Helper()
	_ = p.listener.Close() // an error means that it is closed already
	p.conns.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		t.Errorf("the proxy could not read along: %v", p.err)
	}
	return p.exchanges
}

// cut is finish for a client that may still have open connections, which it closes.
func (p *proxy) cut(t *testing.T) []*exchange {
	t.Helper()
	_ = p.listener.Close()
	p.mu.Lock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	return p.finish(t)
}

// await waits until done returns true for the exchanges so far.
func (p *proxy) await(ctx context.Context, done func([]*exchange) bool) error {
	for {
		p.mu.Lock()
		enough, grown := done(p.exchanges), p.grown
		p.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// update changes the record.
func (p *proxy) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.grown)
	p.grown = make(chan struct{})
}

func (p *proxy) accept() {
	defer p.conns.Done()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.conns.Add(1)
		go p.pass(conn)
	}
}

// pass serves one connection of a client.
func (p *proxy) pass(client net.Conn) {
	defer p.conns.Done()
	defer client.Close()
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		return // davd has ended, so close the client's connection
	}
	defer server.Close()
	p.update(func() { p.open[client] = struct{}{} })
	defer p.update(func() { delete(p.open, client) })

	requests, requestBytes := io.Pipe()
	responses, responseBytes := io.Pipe()
	sent := make(chan *exchange, 16)
	var all sync.WaitGroup
	// When one side closes its connection, close the other.
	all.Go(func() {
		_, _ = io.Copy(server, io.TeeReader(client, requestBytes))
		_, _ = server.Close(), requestBytes.Close()
	})
	all.Go(func() {
		_, _ = io.Copy(client, io.TeeReader(server, responseBytes))
		_, _ = client.Close(), responseBytes.Close()
	})
	all.Go(func() {
		defer close(sent)
		p.note(requests, p.readRequests(requests, sent))
	})
	all.Go(func() { p.note(responses, p.readResponses(responses, sent)) })
	all.Wait()
}

// note records an error and skips the rest of stream.
func (p *proxy) note(stream *io.PipeReader, err error) {
	if err != nil {
		p.update(func() { p.err = errors.Join(p.err, err) })
	}
	_, _ = io.Copy(io.Discard, stream)
}

// readRequests parses a copy of the requests until the client closes the connection.
func (p *proxy) readRequests(stream io.Reader, sent chan<- *exchange) error {
	reader := bufio.NewReader(stream)
	for {
		if _, err := reader.Peek(1); err != nil {
			return nil //nolint:nilerr // the end of the connection
		}
		r, err := http.ReadRequest(reader)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		e := &exchange{method: r.Method, path: r.URL.Path, agent: r.UserAgent(), start: time.Now()}
		p.update(func() { p.exchanges = append(p.exchanges, e) })
		sent <- e
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// readResponses parses a copy of the responses to the requests in sent. It always drains sent.
func (p *proxy) readResponses(stream io.Reader, sent <-chan *exchange) error {
	reader := bufio.NewReader(stream)
	var first error
	for e := range sent {
		var err error
		if first == nil {
			err = p.readResponse(reader, e)
		}
		p.update(func() { e.ended, e.took = true, time.Since(e.start) })
		// The status shows that the connection ended early.
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			first = fmt.Errorf("response to %s %s: %w", e.method, e.path, err)
		}
	}
	if first != nil {
		return first
	}
	if rest, _ := io.ReadAll(reader); len(rest) > 0 {
		return fmt.Errorf("%d bytes came after the last response: %.80q", len(rest), rest)
	}
	return nil
}

// readResponse reads all interim responses to e and the final one.
func (p *proxy) readResponse(reader *bufio.Reader, e *exchange) error {
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: e.method})
		if err != nil {
			return err
		}
		switch {
		case response.StatusCode == http.StatusProcessing:
			p.update(func() { e.interim = append(e.interim, response.Header) })
			continue
		case response.StatusCode < http.StatusOK:
			continue // 100
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		p.update(func() { e.status = response.StatusCode })
		return nil
	}
}
