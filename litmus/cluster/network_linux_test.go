package cluster

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A link is one of the two cables of a node.
type link string

const (
	toDatabase link = "db"
	toBalancer link = "lb"
)

// The networks of the cables: 198.18.0.0/15 is reserved for tests of network devices (RFC 2544).
// The last number is 1 at the end of the tests, where the database, HAProxy and the clients are,
// and 2 at the node.
var linkNetworks = map[link]string{toDatabase: "198.18", toBalancer: "198.19"}

// address returns the address of one end of the cable of node n.
func (l link) address(n, end int) string { return fmt.Sprintf("%s.%d.%d", linkNetworks[l], n, end) }

// device returns the name of the cable of node n.
func (l link) device(n int) string { return fmt.Sprintf("%s%d", l, n) }

// namespace returns the name of the namespace of node n.
func namespace(n int) string { return fmt.Sprintf("node%d", n) }

// private prepares the mount namespace of the tests, once: programs get a /run and an /etc/hosts of
// their own, with the names node1, node2, … and database.
var private = sync.OnceValue(func() error {
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1 localhost files.example.org\n")
	for n := 1; n <= maxNodes; n++ {
		fmt.Fprintf(&hosts, "%s node%d\n", toBalancer.address(n, 2), n)
	}
	file := os.Getenv(apart) + "/hosts"
	return errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"),
		os.WriteFile(file, []byte(hosts.String()), 0o644),
		unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, ""),
		run("ip", "link", "set", "lo", "up"),
	)
})

// maxNodes is the largest number of nodes of a test.
const maxNodes = 3

// newNetwork makes the namespaces and cables of n nodes, until the test ends.
func newNetwork(t *testing.T, n int) {
	t.Helper()
	if err := private(); err != nil {
		t.Fatal(err)
	}
	for node := 1; node <= n; node++ {
		if err := addNode(node); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := run("ip", "netns", "delete", namespace(node)); err != nil {
				t.Error(err)
			}
			for _, l := range []link{toDatabase, toBalancer} {
				// The kernel removes it with the namespace, but possibly later.
				_ = run("ip", "link", "delete", l.device(node))
			}
		})
	}
}

func addNode(node int) error {
	name := namespace(node)
	if err := run("ip", "netns", "add", name); err != nil {
		return err
	}
	if err := run("ip", "-n", name, "link", "set", "lo", "up"); err != nil {
		return err
	}
	for _, l := range []link{toDatabase, toBalancer} {
		device := l.device(node)
		for _, args := range [][]string{
			{"link", "add", device, "type", "veth", "peer", "name", string(l), "netns", name},
			{"address", "add", l.address(node, 1) + "/24", "dev", device},
			{"link", "set", device, "up"},
			{"-n", name, "address", "add", l.address(node, 2) + "/24", "dev", string(l)},
			{"-n", name, "link", "set", string(l), "up"},
		} {
			if err := run("ip", args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut unplugs a cable of a node. Packets are lost without an error.
func (l link) cut(node int) error { return run("ip", "link", "set", l.device(node), "down") }

// mend plugs the cable in again.
func (l link) mend(node int) error { return run("ip", "link", "set", l.device(node), "up") }
