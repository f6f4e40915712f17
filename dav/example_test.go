package dav_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// Only one line changes: the webdav.Handler becomes a dav.Handler.
func Example() {
	// h := &webdav.Handler{
	h := &dav.Handler{
		Prefix:     "/dav",
		FileSystem: webdav.NewMemFS(),
		LockSystem: webdav.NewMemLS(),
	}
	server := httptest.NewServer(h)
	defer server.Close()

	request, err := http.NewRequest(http.MethodPut, server.URL+"/dav/hello.txt", strings.NewReader("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	response.Body.Close()
	fmt.Println(response.Status)

	response, err = http.Get(server.URL + "/dav/hello.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(content))
	// Output:
	// 201 Created
	// hello
}

// A client that asks gets interim responses, the first one immediately.
func ExampleHandler_interim() {
	server := httptest.NewServer(&dav.Handler{FileSystem: webdav.NewMemFS()})
	defer server.Close()

	request, err := http.NewRequest("PROPFIND", server.URL+"/", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Header.Set("Prefer", "processing")
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		fmt.Println(status, http.StatusText(status), header.Get("Progress"))
		return nil
	}}
	response, err := http.DefaultClient.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		fmt.Println(err)
		return
	}
	response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// 102 Processing 0/
	// 207 Multi-Status
}
