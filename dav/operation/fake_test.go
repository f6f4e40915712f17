package operation

import (
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage/history"
)

// pageServer is a Server for the tests of pages and documents. principal sends all
// requests.
type pageServer struct {
	Server
	principal string
}

func (s pageServer) Principal(*http.Request) string { return s.principal }

func (pageServer) Href(name string) string { return string(field.AppendHref(nil, "", name, false)) }

func (pageServer) Failures(error) (named []history.Failure, total int64, ok bool) {
	return nil, 0, false
}

// fixed is a Monitor with a constant progress.
type fixed struct {
	interim.Monitor
	interim.Progress
}

func (f *fixed) Snapshot() interim.Progress { return f.Progress }

func (*fixed) Failures() (named []history.Failure, total int64) { return nil, 0 }
