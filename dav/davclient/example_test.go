package davclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/storage/latency"
)

// A program with its own net/http client shows the progress of a request.
func ExampleTransport() {
	server := httptest.NewServer(&dav.Handler{FileSystem: webdav.NewMemFS()})
	defer server.Close()

	client := &http.Client{Transport: &davclient.Transport{
		Interim: func(r *http.Request, i davclient.Interim) {
			if i.HasProgress {
				fmt.Println(r.Method, i.Status, i.Progress)
			}
		},
	}}
	request, err := http.NewRequest("PROPFIND", server.URL+"/", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := client.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// PROPFIND 102 0/
	// 207 Multi-Status
}

// A copy on slow storage that shows its progress.
func ExampleClient_Copy() {
	fsys := latency.New(webdav.NewMemFS(), time.Millisecond)
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys})
	defer server.Close()

	client, err := davclient.New(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if _, err := client.Put(ctx, "a%20b", strings.NewReader("hello"), davclient.PutOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	watched := davclient.WithInterim(ctx, func(i davclient.Interim) {
		fmt.Printf("%d members are done\n", i.Progress.Done)
	})
	created, err := client.Copy(watched, "a%20b", "c", davclient.TransferOptions{})
	fmt.Println(created, err)
	// Output:
	// 0 members are done
	// true <nil>
}

// A listing, one member at a time.
func ExampleClient_List() {
	server := httptest.NewServer(&dav.Handler{FileSystem: webdav.NewMemFS()})
	defer server.Close()

	client, err := davclient.New(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if _, err := client.Put(ctx, "a%20b", strings.NewReader("hello"), davclient.PutOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	for resource, err := range client.List(ctx, "/", davclient.Depth1) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q %v %d\n", resource.Name, resource.Collection, resource.Size)
	}
	// Output:
	// "" true -1
	// "a b" false 5
}
