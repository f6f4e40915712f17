package quotas

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/quota"
)

func share(t *testing.T, name string, limit int64) (Share, string) {
	t.Helper()
	dir := t.TempDir()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return Share{name, quota.New(fsys, quota.Options{Limit: limit})}, dir
}

// TestOperators checks both operators, the remote one through a socket.
func TestOperators(t *testing.T) {
	photos, dir := share(t, "/photos", 100)
	home, _ := share(t, "/home/ann", 0)
	m := &Manager{Shares: func() []Share { return []Share{home, photos} }}
	var commands control.Commands
	m.Register(&commands)
	path := control.Path(filepath.Join(t.TempDir(), "files.db"))
	server, err := control.Start(t.Context(), path, &commands, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	client, err := control.Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	used := int64(0)
	for _, o := range []Operator{m, &Remote{client}} {
		found, err := o.List(t.Context(), "")
		if err != nil || len(found) != 2 || found[0].Share != "/home/ann" || found[0].Available != -1 || found[1].Used != used || found[1].Limit != 100 {
			t.Errorf("got %+v, error %v", found, err)
		}
		used += 10
		if err := os.WriteFile(filepath.Join(dir, strings.Repeat("x", int(used))), []byte("0123456789"), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err = o.Recount(t.Context(), "/photos")
		if err != nil || len(found) != 1 || found[0].Used != used || found[0].Available != 100-used || found[0].Count.Before != used-10 {
			t.Errorf("got %+v, error %v", found, err)
		}
		if _, err := o.List(t.Context(), "/nowhere"); err == nil || !strings.Contains(err.Error(), "/nowhere") {
			t.Errorf("error %v", err)
		}
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	report := Report(slog.New(slog.NewTextHandler(&out, nil)), "/photos")
	report(quota.Count{Used: 5, Before: 5})
	if out.Len() > 0 {
		t.Errorf("it logs %s", out.String())
	}
	for _, c := range []quota.Count{{First: true}, {Used: 5, Before: 6, Unreadable: 1}, {Used: 5, Before: 5, Took: time.Minute}, {Err: errors.New("no answer")}} {
		out.Reset()
		report(c)
		if !strings.Contains(out.String(), "/photos") {
			t.Errorf("%+v is logged as %q", c, out.String())
		}
	}
}
