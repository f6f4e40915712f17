package interim_test

import (
	"net/http"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/aferofs"
)

// x/net's handler, with interim responses that show how far it is.
func ExampleHandler() {
	http.Handle("/", &interim.Handler{Next: &webdav.Handler{
		FileSystem: interim.Count(webdav.Dir("/srv/files")), LockSystem: webdav.NewMemLS(),
	}})
}

// An afero filesystem under a prefix, beside other handlers.
func ExampleHandler_prefix() {
	fs := aferofs.New(afero.NewMemMapFs())
	mux := http.NewServeMux() // which has other handlers too
	mux.Handle("/dav/", &interim.Handler{Next: &webdav.Handler{
		Prefix: "/dav", FileSystem: interim.Count(fs), LockSystem: webdav.NewMemLS(),
	}})
}

// A handler that isn't WebDAV and reports its progress itself.
func ExampleHandler_plain() {
	http.Handle("POST /report", &interim.Handler{
		Methods: []string{"POST"},
		Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			progress := interim.CounterOf(r.Context())
			progress.Total(12, 0)
			for range 12 {
				time.Sleep(time.Minute) // the work on a month
				progress.Add(1, 0)
			}
		}),
	})
}
