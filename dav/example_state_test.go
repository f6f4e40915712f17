package dav_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/sqlstate"
)

// A directory whose locks and properties are kept: they still exist after the Handler
// is created again.
func ExampleHandler_state() {
	dir, err := os.MkdirTemp("", "share")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	fsys, err := local.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fsys.Close()
	state := filepath.Join(dir, ".davd-state", "share.db")

	withState := func(method, body string) error {
		ctx := context.Background()
		db, err := sqlstate.Open(ctx, state)
		if err != nil {
			return err
		}
		defer db.Close()
		server := httptest.NewServer(&dav.Handler{FileSystem: fsys, State: db})
		defer server.Close()
		request, err := http.NewRequest(method, server.URL+"/", strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Depth", "0")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		fmt.Println(response.Status, strings.Contains(string(content), ">blue<"))
		return err
	}
	err = withState("PROPPATCH", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><colour xmlns="urn:x">blue</colour></D:prop></D:set></D:propertyupdate>`)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := withState("PROPFIND", ""); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 207 Multi-Status false
	// 207 Multi-Status true
}
