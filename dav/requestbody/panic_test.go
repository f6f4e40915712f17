package requestbody_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/davd/davd/dav/requestbody"
)

// TestPanic: if a handler panics before the end of a body, there is no answer.
func TestPanic(t *testing.T) {
	server := httptest.NewServer(&requestbody.Handler{
		Pace: requestbody.NewPace(time.Minute, 1),
		Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	})
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PUT /a HTTP/1.1\r\nHost: davd.test\r\nContent-Length: 1000000\r\n\r\n0123456789"); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		t.Errorf("the answer is %s", response.Status)
	}
}
