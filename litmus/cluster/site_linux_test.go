package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A site is a storage with the davds that serve it.
type site struct {
	storage  storage
	nodes    []*node
	database *database // nil if each node has a state of its own
	// unsteady, if not nil, lets the storage fail until steady is called.
	unsteady func(seed uint64) (steady func())
}

// commonFlags are the flags of all nodes.
var commonFlags = []string{
	"--trusted-proxy", "198.19.0.0/16", "--interim-proxy", "pass", "--log-level", "warn",
	// Slow machines take long for everything.
	"--drain", "20s",
}

// newSite prepares n nodes over the same directory. They are stopped when the test ends. Without a
// database, each has a state of its own.
func newSite(t *testing.T, n int, d *database) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{storage: newDirectory(t), database: d}
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(htpasswd), 0o600); err != nil {
		t.Fatal(err)
	}
	for number := 1; number <= n; number++ {
		one := &node{number: number, site: s, own: t.TempDir(), log: &output{}}
		one.flags = slices.Concat(commonFlags, []string{"--htpasswd", users})
		if d != nil {
			one.flags = append(one.flags, "--state", d.url(one), "--node-name", namespace(number))
		}
		s.nodes = append(s.nodes, one)
		t.Cleanup(func() {
			if one.process != nil {
				one.process.kill()
			}
			if t.Failed() {
				t.Logf("node %d: %s", number, one.log)
			}
		})
	}
	return s
}

// start starts all nodes and waits until they are ready.
func (s *site) start(t *testing.T) {
	t.Helper()
	for _, n := range s.nodes {
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range s.nodes {
		if err := n.ready(patience); err != nil {
			t.Fatal(err)
		}
	}
}

// stop stops all nodes. They must end cleanly.
func (s *site) stop(t *testing.T) {
	t.Helper()
	for _, n := range s.nodes {
		if err := n.process.stop(syscall.SIGTERM); err != nil {
			t.Errorf("node %d: %v\n%s", n.number, err, n.log)
		}
		n.process = nil
	}
}

// plant creates files, and the collections that they are in.
func (s *site) plant(t *testing.T, files map[string]string) {
	t.Helper()
	if err := s.storage.plant(files); err != nil {
		t.Fatal(err)
	}
}
