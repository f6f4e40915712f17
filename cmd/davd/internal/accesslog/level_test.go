package accesslog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
)

// logged returns a function that logs a record and returns its level.
func logged() func(accesslog.Record) string {
	var out bytes.Buffer
	done := accesslog.To(slog.New(slog.NewTextHandler(&out, nil)))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	return func(record accesslog.Record) string {
		out.Reset()
		done(r, record)
		_, level, _ := strings.Cut(out.String(), "level=")
		level, _, _ = strings.Cut(level, " ")
		return level
	}
}

// TestLevelOfFailure checks that a failure that clients can repeat is an error only once in a
// minute, for each status and share, and that one that they cause themselves is none.
func TestLevelOfFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := logged()
		full := fmt.Errorf("put: %w", &fs.PathError{Op: "write", Path: "/a", Err: syscall.ENOSPC})
		quota := fmt.Errorf("put: %w", &fs.PathError{Op: "quota", Path: "/a", Err: syscall.EDQUOT})
		for i, step := range []struct {
			after  time.Duration
			record accesslog.Record
			want   string
		}{
			{0, accesslog.Record{Status: 507, Err: quota}, "INFO"},
			{0, accesslog.Record{Status: 507, Err: errors.New("too many properties")}, "INFO"},
			{0, accesslog.Record{Status: 501}, "INFO"},
			{0, accesslog.Record{Status: 507, Err: full}, "ERROR"},
			{59 * time.Second, accesslog.Record{Status: 507, Err: full}, "INFO"},
			{0, accesslog.Record{Status: 507, Err: full, Share: "/docs"}, "ERROR"},
			{0, accesslog.Record{Status: 502}, "ERROR"},
			{time.Second, accesslog.Record{Status: 507, Err: full}, "ERROR"},
			{0, accesslog.Record{Status: 507, Err: full}, "INFO"},
			{0, accesslog.Record{Status: 507, Err: full, Share: "/docs"}, "INFO"},
			{0, accesslog.Record{Status: 500}, "ERROR"},
			{0, accesslog.Record{Status: 500}, "ERROR"},
		} {
			time.Sleep(step.after)
			if got := level(step.record); got != step.want {
				t.Errorf("step %d: %+v is %s, want %s", i, step.record, got, step.want)
			}
		}
	})
}
