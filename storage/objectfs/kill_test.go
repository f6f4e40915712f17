package objectfs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// victimEnv makes the test binary a victim.
const victimEnv = "DAVD_OBJECTFS_VICTIM"

// victim is a process that makes a change, and is killed at a step.
type victim struct {
	Dir    string
	Change int // its index
	At     int // the call of names or objects; 0 for none
	After  bool
}

func TestMain(m *testing.M) {
	if text := os.Getenv(victimEnv); text != "" {
		var v victim
		err := json.Unmarshal([]byte(text), &v)
		if err == nil {
			err = v.run(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if text := os.Getenv(uploaderEnv); text != "" {
		fmt.Fprintln(os.Stderr, upload(context.Background(), text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// run makes the change, and prints how many calls it has made.
func (v victim) run(ctx context.Context) error {
	s, closeDB, err := openIn(ctx, v.Dir)
	if err != nil {
		return err
	}
	calls := 0
	hooked := s.hooked(func(_ string, after bool) error {
		if !after {
			calls++
		}
		if calls == v.At && after == v.After {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			if err != nil {
				return err
			}
			select {}
		}
		return nil
	})
	if err := changes()[v.Change].do(ctx, hooked); err != nil {
		return err
	}
	fmt.Println(calls)
	return closeDB()
}

// openIn opens the storage in a directory.
func openIn(ctx context.Context, dir string) (*site, func() error, error) {
	db, err := sqlstate.Open(ctx, filepath.Join(dir, "names.db"))
	if err != nil {
		return nil, nil, err
	}
	objects, err := dirblobs.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	space, err := names.Open(ctx, names.Options{Database: db, Identity: "test"})
	if err != nil {
		return nil, nil, err
	}
	return &site{objectfs.New(objectfs.Options{Names: space, Blobs: objects, Inline: inline}), space, objects}, db.Close, nil
}

// TestKill kills a process at each call of names and objects in each change, before and after it.
// Then the tree is the one before or after the change, whole; and it is the one after if the change
// was acknowledged. The collector removes everything that nothing refers to.
func TestKill(t *testing.T) {
	t.Parallel()
	all := changes()
	indexes := make([]int, len(all))
	for i := range indexes {
		indexes[i] = i
	}
	for _, i := range sweep.Sample(t, indexes, 4) {
		t.Run(all[i].name, func(t *testing.T) {
			t.Parallel()
			calls := kill(t, victim{Change: i})
			for _, at := range sweep.Steps(t, calls, 3) {
				kill(t, victim{Change: i, At: at})
				kill(t, victim{Change: i, At: at, After: true})
			}
		})
	}
}

// kill runs a victim and checks what is left. It returns how many calls the victim has made if it
// was not killed.
func kill(t *testing.T, v victim) (calls int) {
	t.Helper()
	v.Dir = t.TempDir()
	visit(t, v.Dir, func(s *site) { storagetest.WriteTree(t, s, before()) })
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	// A call that fails, such as a search for a file that doesn't exist, has no end to be killed at.
	acknowledged := err == nil
	if !acknowledged && v.At == 0 || acknowledged && v.At > 0 && !v.After {
		t.Fatalf("%+v: %v %s %s", v, err, out, &failed)
	}
	if _, err := fmt.Sscan(string(out), &calls); acknowledged && err != nil {
		t.Fatal(err)
	}
	visit(t, v.Dir, func(s *site) {
		got := storagetest.ReadTree(t, s, "/")
		maps.DeleteFunc(got, func(name, _ string) bool { return storage.Reserved(name) })
		changed := before()
		changes()[v.Change].after(changed)
		if !maps.Equal(got, changed) && (acknowledged || !maps.Equal(got, before())) {
			t.Errorf("%+v: the tree is %v", v, got)
		}
		s.clean(t, s.FS)
	})
	return calls
}

// visit opens the storage in a directory for a moment.
func visit(t *testing.T, dir string, do func(s *site)) {
	t.Helper()
	s, closeDB, err := openIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	do(s)
	if err := closeDB(); err != nil {
		t.Fatal(err)
	}
}
