package davclient_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/storage"
)

// scripted starts a server that answers each request with text, where a newline
// stands for CR LF. It returns the server's URL and the requests that it received.
func scripted(t *testing.T, text string) (url string, requests <-chan *http.Request) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *http.Request, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					got <- r
					if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String(), got
}

// served starts a davd on fsys, and returns a Client for it.
func served(t *testing.T, fsys storage.FS) (*davclient.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()})
	t.Cleanup(server.Close)
	return clientOf(t, server.URL), server
}

func clientOf(t *testing.T, url string) *davclient.Client {
	t.Helper()
	c, err := davclient.New(url)
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	c.Transport = base
	return c
}
