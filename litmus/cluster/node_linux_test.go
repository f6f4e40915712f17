package cluster

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// The ports of each node: that of the files, and that of its health.
const (
	filesPort  = 8080
	healthPort = 9100
)

// A node is a davd in a network namespace of its own.
type node struct {
	number  int
	flags   []string // without the addresses
	env     []string // such as NAME=VALUE
	inside  bool     // davd runs in the namespace of the tests
	site    *site
	own     string // the directory of the node itself, with its state, or only its socket
	process *process
	log     *output
	kills   int
}

// start starts davd, but does not wait until it is ready.
func (n *node) start() (err error) {
	apart := []string{"ip", "netns", "exec", namespace(n.number)}
	if n.inside {
		apart = nil
	}
	args := slices.Concat(apart, []string{"env", "STATE_DIRECTORY=" + n.own}, n.env, []string{
		davdBinary, "serve", "--addr", fmt.Sprintf(":%d", filesPort), "--metrics-addr", n.health(),
	}, n.flags)
	if dir := n.site.storage.argument(n); dir != "" {
		args = append(args, dir)
	}
	// ip and env replace themselves, so this is davd's process.
	n.process, err = startProcess(n.log, args[0], args[1:]...)
	return err
}

// files returns the address of the node without HAProxy.
func (n *node) files() string {
	if n.inside {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(filesPort))
	}
	return net.JoinHostPort(toBalancer.address(n.number, 2), strconv.Itoa(filesPort))
}

// health returns the address at which the node says whether it is ready.
func (n *node) health() string {
	if n.inside {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(healthPort))
	}
	return net.JoinHostPort(toBalancer.address(n.number, 2), strconv.Itoa(healthPort))
}

// ready waits until the node says that it is ready.
func (n *node) ready(limit time.Duration) error {
	client := http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	err := await(limit, n.process, func() error {
		response, err := client.Get("http://" + n.health() + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("/readyz answers %s", response.Status)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("node %d is not ready: %w\n%s", n.number, err, n.log)
	}
	return nil
}

// kill kills the node at once.
func (n *node) kill() {
	n.process.kill()
	n.kills++
}

// pause stops the node, until resume.
func (n *node) pause() { n.process.signal(syscall.SIGSTOP) }

func (n *node) resume() { n.process.signal(syscall.SIGCONT) }
