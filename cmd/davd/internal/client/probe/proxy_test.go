package probe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"
)

// head is a status line with a header. text is how they were sent.
type head struct {
	status int
	text   string
}

// readHead reads a head from a connection to a server.
func readHead(in *bufio.Reader) (head, error) {
	var h head
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return h, err
		}
		if h.text == "" {
			if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &h.status); err != nil {
				return h, err
			}
		}
		h.text += line
		if line == "\r\n" {
			return h, nil
		}
	}
}

// rest reads the body that follows h, which must have a Content-Length.
func (h head) rest(in *bufio.Reader) string {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(h.text)), nil)
	if err != nil || response.ContentLength < 0 {
		return ""
	}
	body, _ := io.ReadAll(io.LimitReader(in, response.ContentLength))
	return string(body)
}

// proxy forwards each request to a server, and answers it with the function forward. It keeps
// one connection to the server open, as proxies do.
type proxy struct {
	t       *testing.T
	server  string
	forward func(p *proxy, out io.Writer) (keep bool)
	// request rewrites the requests to the server.
	request func(text string) string

	mu       sync.Mutex
	upstream net.Conn
	in       *bufio.Reader
}

// startProxy returns the proxy's URL.
func startProxy(t *testing.T, p *proxy) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.t = t
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.drop()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

func (p *proxy) drop() {
	if p.upstream != nil {
		p.upstream.Close()
		p.upstream = nil
	}
}

func (p *proxy) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		text, err := httputil.DumpRequest(r, true)
		if err != nil {
			return
		}
		if !p.answer(string(text), conn) {
			return
		}
	}
}

// answer forwards a request and answers it. It reports whether the connection to the client
// stays open.
func (p *proxy) answer(text string, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.request != nil {
		text = p.request(text)
	}
	if p.upstream == nil {
		upstream, err := net.Dial("tcp", p.server)
		if err != nil {
			return false
		}
		_ = upstream.SetDeadline(time.Now().Add(2 * time.Minute))
		p.upstream, p.in = upstream, bufio.NewReader(upstream)
	}
	if _, err := io.WriteString(p.upstream, text); err != nil {
		p.drop()
		return false
	}
	return p.forward(p, conn)
}

// next reads a head from the server. It reports false if it fails.
func (p *proxy) next() (head, bool) {
	h, err := readHead(p.in)
	if err != nil {
		p.drop()
	}
	return h, err == nil
}

// behaviour returns a forward function that calls each for every response from the server; n
// counts them from 1. It sends text to the client, and ends if stop is true.
func behaviour(each func(h head, n int) (text string, stop bool)) func(*proxy, io.Writer) bool {
	return func(p *proxy, out io.Writer) bool {
		for n := 1; ; n++ {
			h, ok := p.next()
			if !ok {
				return false
			}
			if h.status >= 200 {
				text, _ := each(h, n)
				_, err := io.WriteString(out, text+h.rest(p.in))
				return err == nil
			}
			text, stop := each(h, n)
			if _, err := io.WriteString(out, text); err != nil {
				return false
			}
			if stop {
				p.drop()
				return true
			}
		}
	}
}

const badGateway = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"

// cutAfter forwards n interim responses and then answers with 502, as Apache does after the
// tenth.
func cutAfter(n int) func(*proxy, io.Writer) bool {
	return behaviour(func(h head, at int) (string, bool) {
		if h.status < 200 && at == n {
			return h.text + badGateway, true
		}
		return h.text, false
	})
}

// cutAt answers with 502 at the nth interim response. If suppressed is true, it swallows those
// before.
func cutAt(nth int, suppressed bool) func(*proxy, io.Writer) bool {
	return behaviour(func(h head, n int) (string, bool) {
		switch {
		case h.status >= 200:
			return h.text, false
		case n == nth:
			return badGateway, true
		case suppressed:
			return "", false
		}
		return h.text, false
	})
}

// passAll forwards all responses immediately.
var passAll = behaviour(func(h head, _ int) (string, bool) { return h.text, false })

// swallowAll only forwards final responses.
var swallowAll = behaviour(func(h head, _ int) (string, bool) {
	if h.status < 200 {
		return "", false
	}
	return h.text, false
})

// loseSome only forwards every third interim response.
var loseSome = behaviour(func(h head, n int) (string, bool) {
	if h.status < 200 && n%3 != 1 {
		return "", false
	}
	return h.text, false
})

// holdAll collects interim responses and forwards them with the final response.
func holdAll() func(*proxy, io.Writer) bool {
	held := ""
	return behaviour(func(h head, _ int) (string, bool) {
		held += h.text
		if h.status < 200 {
			return "", false
		}
		text := held
		held = ""
		return text, false
	})
}

// firstIsFinal forwards the first interim response and then waits for the next request, as
// nginx does.
func firstIsFinal(p *proxy, out io.Writer) bool {
	h, ok := p.next()
	if !ok {
		return false
	}
	text := h.text
	if h.status >= 200 {
		text += h.rest(p.in)
	}
	_, err := io.WriteString(out, text)
	if h.status < 200 {
		p.drop()
	}
	return err == nil
}

// breakOff closes the connection when the first interim response comes.
func breakOff(p *proxy, out io.Writer) bool {
	h, ok := p.next()
	if !ok {
		return false
	}
	if h.status < 200 {
		p.drop()
		return false
	}
	_, err := io.WriteString(out, h.text+h.rest(p.in))
	return err == nil
}

// outOfTurn treats the first response as the final one, even if it is an interim response, and
// uses the connection to the server again.
func outOfTurn(p *proxy, out io.Writer) bool {
	h, ok := p.next()
	if !ok {
		return false
	}
	text := "HTTP/1.1 204 No Content\r\n\r\n"
	if h.status >= 200 {
		text = h.text + h.rest(p.in)
	}
	_, err := io.WriteString(out, text)
	return err == nil
}

// without returns a function that removes a header from requests.
func without(name string) func(string) string {
	return func(text string) string {
		var kept strings.Builder
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, name+": ") {
				kept.WriteString(line)
			}
		}
		return kept.String()
	}
}

// asHTTP10 makes a request look as if it had come through an HTTP/1.0 proxy.
func asHTTP10(text string) string {
	return strings.Replace(text, " HTTP/1.1\r\n", " HTTP/1.1\r\nVia: 1.0 p\r\n", 1)
}

// addressOf returns the address of a server.
func addressOf(server *httptest.Server) string { return server.Listener.Addr().String() }
