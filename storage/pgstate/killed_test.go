package pgstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names/namestest"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// victimEnv makes TestVictim a victim.
const victimEnv = "DAVD_PGSTATE_VICTIM"

// victim is a server in a process of its own, which carries out a request and is killed at a step.
type victim struct {
	DSN      string
	LockFile string
	Bucket   bucket
	Request  int // its index
	Dir      string
	At       int // the moment; 0 for none
}

// victimEnd is what a victim says that was not killed.
type victimEnd struct{ Status, Moments int }

// TestVictim is the process that TestKilledRequests kills.
func TestVictim(t *testing.T) {
	text := os.Getenv(victimEnv)
	if text == "" {
		return
	}
	var v victim
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	db := open(t, v.DSN, Options{Name: "victim", LockFile: v.LockFile, hook: stepHere})
	run(t, db, nil)
	node := newSite(t, db, steppedBlobs{v.Bucket.open(t)})
	p := &step{at: v.At, kills: true}
	status := node.request(t, steppedRequests()[v.Request], v.Dir, p)
	if err := db.Cluster().Leave(t.Context()); err != nil {
		t.Error(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(victimEnd{status, p.moments}); err != nil {
		t.Error(err)
	}
}

// run runs the victim until it ends or is killed. killed says which.
func (v victim) run(t *testing.T) (end victimEnd, killed bool) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == -1 {
		return end, true // by a signal
	}
	if err == nil {
		err = json.NewDecoder(strings.NewReader(string(out))).Decode(&end)
	}
	if err != nil {
		t.Fatalf("%+v: %v\n%s%s", v, err, out, &failed)
	}
	return end, false
}

// steppedBlobs is a store whose calls are steps of a request.
type steppedBlobs struct{ blobs.Store }

func (s steppedBlobs) Create(ctx context.Context, key string, size int64, meta blobs.Meta) (blobs.Writer, error) {
	stepHere(ctx, "create an object", false)
	w, err := s.Store.Create(ctx, key, size, meta)
	return steppedWriter{w, ctx}, err
}

func (s steppedBlobs) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	stepHere(ctx, "open an object", false)
	defer stepHere(ctx, "open an object", true)
	return s.Store.Open(ctx, key, offset, length)
}

func (s steppedBlobs) Remove(ctx context.Context, keys []string) error {
	stepHere(ctx, "remove objects", false)
	defer stepHere(ctx, "remove objects", true)
	return s.Store.Remove(ctx, keys)
}

type steppedWriter struct {
	blobs.Writer

	ctx context.Context // has the step
}

func (w steppedWriter) Write(p []byte) (int, error) {
	stepHere(w.ctx, "write an object", false)
	return w.Writer.Write(p)
}

func (w steppedWriter) Finish(ctx context.Context) error {
	stepHere(w.ctx, "finish an object", false)
	defer stepHere(w.ctx, "finish an object", true)
	return w.Writer.Finish(ctx)
}

// TestKilledRequests kills a server before or after each call of PostgreSQL and of S3 while it carries out a
// request. Another server takes over from it, or it starts again. Then the change was made as a whole or not
// at all, and names and objects agree.
func TestKilledRequests(t *testing.T) {
	dsn, b := pgtest.Database(t), newBucket(t)
	by := newPrime(t, open(t, dsn, Options{Name: "by"}), b.open(t))
	for i, r := range steppedRequests() {
		t.Run(r.name, func(t *testing.T) {
			dir := "/" + strings.ReplaceAll(r.name, " ", "") + "-"
			by.plant(t, dir+"0")
			before := by.look(t, dir+"0")
			v := victim{DSN: dsn, Bucket: b, Request: i, Dir: dir + "0"}
			end, killed := v.run(t)
			after := by.look(t, dir+"0")
			if killed || end.Status/100 != 2 || maps.Equal(before, after) {
				t.Fatalf("without a kill: %+v, killed %t; it has\n%q", end, killed, after)
			}
			t.Logf("%d moments", end.Moments)
			for _, at := range sweep.Steps(t, end.Moments, 2) {
				v.At, v.Dir = at, fmt.Sprint(dir, at)
				t.Run(strconv.Itoa(at), func(t *testing.T) { by.killed(t, v, before, after) })
			}
		})
	}
}

// killed is TestKilledRequests for one victim.
func (s *site) killed(t *testing.T, v victim, before, after storagetest.Tree) {
	t.Helper()
	s.plant(t, v.Dir)
	v.LockFile = filepath.Join(t.TempDir(), "lock")
	end, killed := v.run(t)
	if killed {
		s.takeFrom(t, v)
	}
	is := s.settled(t, v.Dir)
	done, nothing := maps.Equal(is, after), maps.Equal(is, before)
	switch {
	case !killed && end.Status/100 == 2 && done: // There were fewer moments this time.
	case !killed && end.Status == http.StatusServiceUnavailable && nothing:
	case killed && (done || nothing):
	default:
		t.Errorf("%+v, %+v, killed %t: the collection has\n%q\nwant\n%q\nor\n%q", v, end, killed, is, after, before)
	}
	s.collect(t)
	s.agrees(t)
	namestest.Consistent(t, s.db)
}

// takeFrom takes over from a dead victim: s does, or the victim starts again.
func (s *site) takeFrom(t *testing.T, v victim) {
	t.Helper()
	epoch := ""
	err := s.db.read(t.Context(), func(rows pgx.Rows) error { return rows.Scan(&epoch) }, "SELECT epoch FROM nodes WHERE name = 'victim'")
	if err != nil || epoch == "" {
		t.Fatalf("the epoch of the victim is unknown: %v", err)
	}
	if v.At%2 == 0 {
		declareEpoch(t, peer{epoch: epoch, name: "victim"}, s.db)
		return
	}
	db := open(t, v.DSN, Options{Name: "again", LockFile: v.LockFile})
	newPrime(t, db, v.Bucket.open(t))
	eventually(t, "the victim has taken over from its predecessor", func() bool {
		return count(t, s.db, "SELECT count(*) FROM nodes WHERE epoch = $1", epoch)+count(t, s.db, "SELECT count(*) FROM work") == 0
	})
	if err := db.Cluster().Leave(t.Context()); err != nil {
		t.Error(err)
	}
}
