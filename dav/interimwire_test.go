package dav_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
)

// outcome is the result of one request for the client.
type outcome struct {
	interims []time.Duration // since the request
	status   int             // of the final response; 0: none arrived
	rest     string          // after its header
	withheld []interim.Withheld
}

// wireRequest is a request that can be sent with any protocol.
type wireRequest struct {
	method, target string
	fields         []string // "Name: value"
	body           string
}

// text returns the request in the form of HTTP/1.0 or HTTP/1.1.
func (r wireRequest) text(protocol string) string {
	lines := append([]string{r.method + " " + r.target + " " + protocol, "Host: davd.test", "Connection: close"}, r.fields...)
	if r.body != "" {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(r.body)))
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + r.body
}

// noting records the calls of Withheld.
func noting(h *dav.Handler) (withheld func() []interim.Withheld) {
	notes := make(chan interim.Withheld, 100)
	h.Interim.Withheld = func(_ *http.Request, why interim.Withheld) { notes <- why }
	return func() (list []interim.Withheld) {
		for len(notes) > 0 {
			list = append(list, <-notes)
		}
		return list
	}
}

// over sends a request to h over its own connection, with HTTP/1.0, HTTP/1.1, HTTP/2
// with TLS, or h2c.
func over(t *testing.T, protocol string, h *dav.Handler, request wireRequest) outcome {
	t.Helper()
	withheld := noting(h)
	server := httptest.NewUnstartedServer(h)
	defer server.Close()
	var got outcome
	switch protocol {
	case "HTTP/2":
		server.EnableHTTP2 = true
		server.StartTLS()
		got = overHTTP2(t, server, request)
	case "h2c":
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
		got = overHTTP2(t, server, request)
	default:
		server.Start()
		conn, err := (&net.Dialer{Timeout: 2 * time.Minute}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		got = converse(t, conn, request.text(protocol))
	}
	server.Close() // waits for the handler
	got.withheld = withheld()
	return got
}

// converse sends a request and reads the answer to its end.
func converse(t *testing.T, conn net.Conn, request string) (got outcome) {
	t.Helper()
	start := time.Now()
	go io.WriteString(conn, request) //nolint:errcheck // missing data shows in the answer
	in := bufio.NewReader(conn)
	for {
		head, err := readHead(in)
		if errors.Is(err, io.EOF) && head == "" {
			return got
		}
		if err != nil {
			t.Fatalf("%v after %q", err, head)
		}
		_, line, _ := strings.Cut(head, " ")
		status, err := strconv.Atoi(line[:3])
		switch {
		case err != nil:
			t.Fatal(err)
		case status == http.StatusProcessing:
			got.interims = append(got.interims, time.Since(start))
		case status >= http.StatusOK:
			rest, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			got.status, got.rest = status, string(rest)
			return got
		}
	}
}

// setFields sets the fields of r, and removes User-Agent unless it is among them.
func setFields(r *http.Request, fields []string) {
	r.Header.Set("User-Agent", "")
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "User-Agent" {
			r.Header.Set(name, value)
		} else {
			r.Header.Add(name, value)
		}
	}
}

func overHTTP2(t *testing.T, server *httptest.Server, request wireRequest) (got outcome) {
	t.Helper()
	start := time.Now()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	transport.Protocols.SetUnencryptedHTTP2(true)
	if server.TLS != nil {
		transport.Protocols.SetUnencryptedHTTP2(false)
		transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs} //nolint:forcetypeassert // httptest's
	}
	defer transport.CloseIdleConnections()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			got.interims = append(got.interims, time.Since(start))
			return nil
		},
	})
	r, err := http.NewRequestWithContext(ctx, request.method, server.URL+request.target, strings.NewReader(request.body))
	if err != nil {
		t.Fatal(err)
	}
	setFields(r, request.fields)
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 {
		t.Fatalf("this is %s", response.Proto)
	}
	rest, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got.status, got.rest = response.StatusCode, string(rest)
	return got
}

// virtually sends a request to h on virtual time in a bubble of synctest. It uses
// net/http's server and a pipe as the connection. The storage waits for length.
func virtually(t *testing.T, h *dav.Handler, fsys storage.FS, length time.Duration, request wireRequest) outcome {
	t.Helper()
	withheld := noting(h)
	g := newGate(fsys)
	g.close()
	h.FileSystem = g
	time.AfterFunc(length, g.open)
	server, client := pipeServer(t, h)
	got := converse(t, client, request.text("HTTP/1.1"))
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	got.withheld = withheld()
	return got
}

// pipeServer starts a server and returns it with a connection to it.
func pipeServer(t *testing.T, h http.Handler) (*http.Server, net.Conn) {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, WriteTimeout: 10 * time.Second, ReadHeaderTimeout: time.Minute}
	go server.Serve(l) //nolint:errcheck // ends with http.ErrServerClosed
	client, serverSide := net.Pipe()
	l.conns <- serverSide
	return server, client
}
