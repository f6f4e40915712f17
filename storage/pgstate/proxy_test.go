package pgstate

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/storage/storagetest/pgtest"
)

// A cut says what happens to the connection of a batch of messages, such as one with a COMMIT.
type cut int

const (
	cutNothing cut = iota
	cutBefore      // it breaks before the server gets the batch
	cutWithin      // it breaks as soon as the server has it
	cutAfter       // it breaks when the server has answered
	cutDelay       // it breaks, and the server gets the batch later
)

// cutter is a proxy in front of a server that breaks connections.
type cutter struct {
	server string
	dsn    string // of the database behind it
	// later is closed when the server shall get delayed batches. delivered counts those that it has got
	// and worked on.
	later     chan struct{}
	delivered sync.WaitGroup

	mu      sync.Mutex
	next    cut  // for the next COMMIT, or for the batch at
	at      int  // 0 for the next COMMIT
	all     bool // all batches from at on
	batches int  // since cutAt
	cuts    int
}

// newCutter starts a proxy for the database dsn.
func newCutter(t *testing.T, dsn string) *cutter {
	t.Helper()
	dir, err := pgtest.SocketDir("davd-cut-")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", pgtest.Socket(dir))
	if err != nil {
		t.Fatal(err)
	}
	config, err := configuration(dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{server: pgtest.Socket(config.ConnConfig.Host), dsn: pgtest.At(dir, dsn), later: make(chan struct{})}
	t.Cleanup(func() {
		_ = listener.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c
}

// cutNext decides about the next COMMIT.
func (c *cutter) cutNext(how cut) {
	c.cutAt(0, how)
}

// cutAt decides about a batch of any kind: the first one from now on is 1.
func (c *cutter) cutAt(at int, how cut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.next, c.all, c.batches = at, how, false, 0
}

// cutFrom breaks the connections of all batches from at on.
func (c *cutter) cutFrom(at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.next, c.all, c.batches = at, cutBefore, true, 0
}

// counted returns how many batches there were since cutAt.
func (c *cutter) counted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.batches
}

func (c *cutter) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

// take returns what to do with a batch.
func (c *cutter) take(commits bool) cut {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches++
	how := c.next
	if c.at == 0 && !commits || c.at > 0 && c.batches != c.at && (!c.all || c.batches < c.at) {
		how = cutNothing
	}
	if how != cutNothing && !c.all {
		c.next = cutNothing
	}
	if how != cutNothing {
		c.cuts++
	}
	if how == cutDelay {
		c.delivered.Add(1)
	}
	return how
}

// wait waits until the server has worked on the batches that were cut.
func (c *cutter) wait() {
	_ = c.done() // orders it after the cuts
	c.delivered.Wait()
}

// cancelRequest is the code of a message that cancels the statement of another connection.
var cancelRequest = []byte{0x04, 0xd2, 0x16, 0x2e}

// serve forwards the messages of a client until its connection is cut.
func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", c.server)
	if err != nil {
		return
	}
	defer server.Close()
	answers := &answers{to: client}
	go func() {
		_, _ = io.Copy(answers, server)
		answers.end()
		_ = client.Close()
	}()
	prepared := make(map[string]string)
	for first := true; ; first = false {
		batch, commits, err := readBatch(client, first, prepared)
		if err != nil || first && bytes.Equal(batch[4:8], cancelRequest) {
			return // Nothing cancels a statement behind a broken network.
		}
		if how := c.take(commits); how != cutNothing {
			c.cut(how, batch, client, server, answers)
			return
		}
		if _, err := server.Write(batch); err != nil {
			return
		}
	}
}

// cut breaks the connection of a batch.
func (c *cutter) cut(how cut, batch []byte, client, server net.Conn, answers *answers) {
	if how == cutBefore {
		return
	}
	answered := answers.swallow()
	if how == cutDelay {
		defer c.delivered.Done()
		_ = client.Close()
		<-c.later
	}
	if _, err := server.Write(batch); err != nil {
		return
	}
	if how == cutWithin {
		_ = client.Close()
	}
	<-answered // This connection can do nothing more.
}

// answers forwards what a server answers.
type answers struct {
	to io.Writer

	mu       sync.Mutex
	swallows chan struct{}
	over     bool // swallows is closed
}

// end says that there are no more answers.
func (a *answers) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.swallows != nil && !a.over {
		a.over = true
		close(a.swallows)
	}
}

// swallow keeps further answers from the client. The channel is closed when the server is ready
// again.
func (a *answers) swallow() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.swallows = make(chan struct{})
	return a.swallows
}

// Write implements [io.Writer].
func (a *answers) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.swallows == nil {
		return a.to.Write(p)
	}
	// ReadyForQuery is the last message: 'Z', a length of 5, and the status.
	if len(p) >= 6 && bytes.Equal(p[len(p)-6:len(p)-1], []byte{'Z', 0, 0, 0, 5}) {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// readBatch reads the messages of a client up to a Sync. commits says that a COMMIT is executed.
// prepared has the statements by their names.
func readBatch(r io.Reader, first bool, prepared map[string]string) (batch []byte, commits bool, err error) {
	for {
		kind, message, err := readMessage(r, first)
		if err != nil {
			return nil, false, err
		}
		batch = append(batch, message...)
		switch {
		case kind == 'P':
			name, rest, _ := bytes.Cut(message[5:], []byte{0})
			text, _, _ := bytes.Cut(rest, []byte{0})
			prepared[string(name)] = string(text)
		case kind == 'B':
			_, rest, _ := bytes.Cut(message[5:], []byte{0})
			name, _, _ := bytes.Cut(rest, []byte{0})
			commits = commits || prepared[string(name)] == "COMMIT"
		case !strings.ContainsRune("DECFdcH", rune(kind)): // The others continue a batch.
			return batch, commits, nil
		}
	}
}

// readMessage reads a message of a client; the first one has no kind.
func readMessage(r io.Reader, first bool) (kind byte, message []byte, err error) {
	head := make([]byte, 5)
	if first {
		head = head[:4]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	if !first {
		kind = head[0]
	}
	body := make([]byte, int(binary.BigEndian.Uint32(head[len(head)-4:]))-4)
	_, err = io.ReadFull(r, body)
	return kind, slices.Concat(head, body), err
}
