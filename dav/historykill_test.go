//go:build unix

package dav_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/storagetest"
)

// toldVictim is an environment variable of the process that TestHistoryToldKilled
// kills. It holds the directory of the share and the state.
const toldVictim = "DAVD_TEST_TOLD_VICTIM"

// killingHistory kills the process once a record was saved and told is closed.
type killingHistory struct {
	history.Store
	told <-chan struct{}
}

func (k killingHistory) SaveOperations(ctx context.Context, records ...history.Record) error {
	if err := k.Store.SaveOperations(ctx, records...); err != nil {
		return err
	}
	<-k.told
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// beToldVictim sends itself a COPY that doesn't end, prints the address that a 102
// reports, and dies when the operation has a record.
func beToldVictim(t *testing.T, dir string) {
	h, g := crashSite(t, filepath.Join(dir, "share"), filepath.Join(dir, "state.db"))
	told := make(chan struct{})
	h.State = &parts{State: h.State, journal: h.State.Journal(), history: killingHistory{h.State.History(), told}}
	h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, _ string) error {
		if op == "rename" || op == "exchange" { // the copy doesn't take its final place
			select {}
		}
		return nil
	}}
	trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
		if location := header.Get("Location"); location != "" {
			fmt.Println("Location: " + location)
			close(told)
		}
		return nil
	}}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "COPY", newServer(t, h).URL+"/src", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Destination": {"/dst"}, "Prefer": {"processing"}, "X-User": {"a"}}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		response.Body.Close()
	}
	t.Fatalf("it was answered: %v", err)
}

// TestHistoryToldKilled: the address that an interim response reports still works after
// a kill, even long before an operation without a known address would get a record.
func TestHistoryToldKilled(t *testing.T) {
	if dir := os.Getenv(toldVictim); dir != "" {
		beToldVictim(t, dir)
	}
	dir := t.TempDir()
	root, state := filepath.Join(dir, "share"), filepath.Join(dir, "state.db")
	if err := os.MkdirAll(filepath.Join(root, "src", "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "src", "a.txt"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHistoryToldKilled$")
	victim.Env = append(os.Environ(), toldVictim+"="+dir)
	out, _ := victim.Output()
	if status, ok := victim.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v, %s", victim.ProcessState, out)
	}
	h, _ := crashSite(t, root, state)
	if _, err := h.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &share{TB: t, h: h}
	s.server = newServer(t, h)
	_, location, _ := strings.Cut(strings.TrimSpace(string(out)), "Location: ")
	a := s.do("GET", location, "X-User: a")
	var status operation.Status
	if err := json.Unmarshal([]byte(a.body), &status); err != nil || a.status != 200 || status.State != "interrupted" || status.Recovery != "undone" {
		t.Errorf("%s is %d %s (%v)", location, a.status, a.body, err)
	}
	if age := status.Updated.Sub(status.Started); age >= 5*time.Second {
		t.Errorf("it was written at the age of %v", age)
	}
}
