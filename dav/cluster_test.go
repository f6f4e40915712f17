package dav_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/cluster/clustertest"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// nodes are servers that share a directory and a state.
type nodes struct {
	testing.TB
	db   *clustertest.Database
	dir  string
	fsys storage.FS // without faults
	all  []*clusterNode
}

// clusterNode is one server.
type clusterNode struct {
	*bubbleServer
	h     *dav.Handler
	state *clustertest.State

	mu sync.Mutex
	// before, if not nil, is called before each call of the storage, and with "db " and the name
	// before and after each call of the database.
	before func(op, name string) error
}

func (n *clusterNode) call(op, name string) error {
	n.mu.Lock()
	before := n.before
	n.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(op, name)
}

// stopAt makes the calls for which at returns true wait until resume is called. reached is closed
// when the first one waits.
func (n *clusterNode) stopAt(at func(op, name string) bool) (reached <-chan struct{}, resume func()) {
	waiting, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	n.mu.Lock()
	defer n.mu.Unlock()
	n.before = func(op, name string) error {
		if at(op, name) {
			once.Do(func() { close(waiting) })
			<-goOn
		}
		return nil
	}
	return waiting, sync.OnceFunc(func() { close(goOn) })
}

// startNodes starts a server for each name, in a bubble, on a directory with layout.
func startNodes(t *testing.T, layout storagetest.Tree, names ...string) *nodes {
	t.Helper()
	db, err := clustertest.New()
	if err != nil {
		t.Fatal(err)
	}
	c := &nodes{TB: t, db: db, dir: t.TempDir()}
	c.fsys = c.open(nil)
	storagetest.WriteTree(t, c.fsys, layout)
	for _, name := range names {
		c.start(t, name, &dav.Handler{})
	}
	return c
}

func (c *nodes) open(stage func() string) storage.FS {
	c.Helper()
	fsys, err := local.OpenWith(c.dir, local.Options{Stage: stage})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

func (c *nodes) start(t *testing.T, name string, h *dav.Handler) *clusterNode {
	t.Helper()
	n := &clusterNode{h: h, state: c.db.Node(name)}
	node := n.state.Cluster()
	n.state.Hook = func(call string, done bool) error {
		if done {
			return n.call("db after", call)
		}
		return n.call("db", call)
	}
	own := c.open(func() string { return strings.TrimPrefix(stageName(node), "/") })
	h.FileSystem = &storagetest.Fault{FS: own, Before: n.call}
	h.State, h.Principal, h.OnePerson = n.state, byHeader, true
	clustertest.Run(t, n.state, func(ctx context.Context, works []cluster.Adopted) { h.TakeOver(ctx, works) })
	n.bubbleServer = serveBubble(t, h)
	c.all = append(c.all, n)
	return n
}

var stages struct {
	mu sync.Mutex
	n  int
}

func stageName(node cluster.Node) string {
	stages.mu.Lock()
	defer stages.mu.Unlock()
	stages.n++
	return fmt.Sprintf("%s%s-%d", storage.ReservedPrefix, node.Epoch(), stages.n)
}

// clean checks that no work and no reserved name remains.
func (c *nodes) clean() {
	c.Helper()
	synctest.Wait()
	if n := c.db.Works(); n > 0 {
		c.Errorf("%d works remain", n)
	}
	for name := range storagetest.ReadTree(c, c.fsys, "/") {
		if storage.Reserved(name) {
			c.Errorf("%s remains", name)
		}
	}
}

func (n *clusterNode) wants(status int, line, body string, fields ...string) answer {
	n.Helper()
	client := n.dial()
	client.send(line, body, fields...)
	_, a := client.final()
	if a.status != status {
		n.Errorf("%s is %d, want %d: %s", line, a.status, status, a.body)
	}
	return a
}

const patchBody = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">v</x></prop></set></propertyupdate>`

// TestNodes: each change through one node is visible to the next request to the other.
func TestNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		a.wants(201, "PUT /new", "one")
		b.wants(204, "PUT /new", strings.Repeat("two", 50_000))
		if got := a.wants(200, "GET /new", ""); len(got.body) != 150_000 {
			t.Errorf("it has %d bytes", len(got.body))
		}
		a.wants(201, "MKCOL /d", "")
		b.wants(405, "MKCOL /d", "")
		b.wants(201, "MOVE /new", "", "Destination: /d/new")
		a.wants(404, "GET /new", "")
		a.wants(207, "PROPPATCH /d/new", patchBody)
		if got := b.wants(207, "PROPFIND /d/new", "", "Depth: 0"); !strings.Contains(got.body, ">v<") {
			t.Errorf("the property is missing: %s", got.body)
		}
		b.wants(201, "COPY /d", "", "Destination: /e")
		a.wants(204, "COPY /c", "", "Destination: /e")
		a.wants(204, "MOVE /e", "", "Destination: /d")
		b.wants(200, "GET /d/f", "")
		b.wants(204, "DELETE /d", "")
		a.wants(404, "DELETE /d", "")
		a.wants(409, "PUT /d/x", "x")
		b.wants(404, "PROPFIND /d", "")
		c.clean()
	})
}

// TestNodesLocks: a lock that one node has granted binds the other at its very next request.
func TestNodesLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		for _, at := range []string{"/c/f", "/c/new"} {
			status := 200
			if at == "/c/new" {
				status = 201
			}
			token := a.wants(status, "LOCK "+at, lockBody).header.Get("Lock-Token")
			b.wants(423, "PUT "+at, "x")
			b.wants(423, "LOCK "+at, lockBody)
			b.wants(207, "MOVE /c", "", "Destination: /d")
			b.wants(204, "PUT "+at, "x", "If: ("+token+")")
			b.wants(204, "UNLOCK "+at, "", "Lock-Token: "+token)
			a.wants(204, "PUT "+at, "y")
		}
		outer := b.wants(200, "LOCK /c", lockBody).header.Get("Lock-Token")
		a.wants(423, "LOCK /c/newer", lockBody, "If: </c> ("+outer+")")
		a.wants(404, "GET /c/newer", "")
		a.wants(423, "MKCOL /c/sub", "")
		c.clean()
	})
}

// TestNodesClaim: while one node changes a name, no other one does. A node that has not renewed
// its lease may be dead, so the client should try again.
func TestNodesClaim(t *testing.T) {
	for name, line := range map[string][]string{
		"PUT": {"PUT /c/f"}, "MKCOL": {"MKCOL /c/f"}, "LOCK": {"LOCK /c/f"}, "PROPPATCH": {"PROPPATCH /c/f"},
		"DELETE": {"DELETE /c"}, "MOVE": {"MOVE /other", "Destination: /c/f"}, "COPY": {"COPY /other", "Destination: /c"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old", "/other": "/", "/other/x": "x"}, "a", "b")
				a, b := c.all[0], c.all[1]
				reached, resume := a.stopAt(func(op, name string) bool { return op == "db after" && name == "SaveRecord" })
				client := a.dial()
				client.ask("MOVE /c", "Destination: /d")
				<-reached
				body := map[string]string{"PUT": "x", "LOCK": lockBody, "PROPPATCH": patchBody}[name]
				status := 423
				if name == "MKCOL" {
					status = 405 // It is refused before its claim.
				}
				b.wants(status, line[0], body, line[1:]...)
				a.state.Silence(true)
				if name != "MKCOL" {
					if got := b.wants(503, line[0], body, line[1:]...); got.header.Get("Retry-After") == "" {
						t.Error("there is no Retry-After")
					}
				}
				a.state.Silence(false)
				resume()
				if _, got := client.final(); got.status != 201 {
					t.Errorf("the MOVE is %d", got.status)
				}
				c.clean()
			})
		})
	}
}

// TestNodesJoin: a repeated request to another node gets 102s while the first node works, and
// then the answer. The work is done once.
func TestNodesJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		reached, resume := a.stopAt(func(op, name string) bool { return op == "db after" && name == "SaveRecord" })
		first := a.dial()
		first.ask("MOVE /c", "X-User: ann", "Destination: /d")
		<-reached
		first.Close()
		second, third := b.dial(), b.dial()
		second.ask("MOVE /c", "X-User: ann", "Destination: /d", "Prefer: processing")
		interim := second.next()
		location := interim.header.Get("Location")
		if interim.status != 102 || location == "" {
			t.Errorf("the second got %d %v", interim.status, interim.header)
		}
		third.ask("MOVE /c", "X-User: ann", "Destination: /d", "Prefer: respond-async")
		if _, got := third.final(); got.status != 202 || got.header.Get("Location") != location {
			t.Errorf("the third got %d %v", got.status, got.header)
		}
		b.wants(423, "MOVE /c", "", "X-User: bob", "Destination: /d")
		for _, n := range c.all {
			for _, path := range []string{location, "/.davd-operations/"} {
				if got := n.wants(200, "GET "+path, "", "X-User: ann"); !strings.Contains(got.body, `"state":"running"`) {
					t.Errorf("GET %s: %s", path, got.body)
				}
			}
			n.wants(404, "GET "+location, "", "X-User: bob")
		}
		time.Sleep(10 * time.Second)
		resume()
		if _, got := second.final(); got.status != 201 {
			t.Errorf("the second is answered %d: %s", got.status, got.body)
		}
		for _, n := range c.all {
			if got := n.wants(200, "GET "+location, "", "X-User: ann"); !strings.Contains(got.body, `"state":"finished"`) || !strings.Contains(got.body, `"status":201`) {
				t.Errorf("at the end: %s", got.body)
			}
		}
		synctest.Wait()
		b.wants(404, "MOVE /c", "", "X-User: ann", "Destination: /d")
		c.clean()
	})
}

// TestNodesEnded: a request does not get the result of an operation on another node that had ended
// before the request arrived, although this node has not noticed the end yet.
func TestNodesEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		reached, resume := a.stopAt(func(op, name string) bool { return op == "db after" && name == "SaveRecord" })
		first, second := a.dial(), b.dial()
		first.ask("DELETE /f", "X-User: ann")
		<-reached
		second.ask("DELETE /f", "X-User: ann")
		synctest.Wait()
		resume()
		if _, got := first.final(); got.status != 204 {
			t.Errorf("the first is answered %d: %s", got.status, got.body)
		}
		a.wants(201, "PUT /f", "new", "X-User: ann")
		b.wants(204, "DELETE /f", "", "X-User: ann")
		if exists(t, c.fsys, "/f") {
			t.Error("the new file was not removed")
		}
		if _, got := second.final(); got.status != 204 {
			t.Errorf("the second is answered %d: %s", got.status, got.body)
		}
		c.clean()
	})
}

// TestNodesKept: an answer that was lost on one node is given by another one, once, unless
// something has changed.
func TestNodesKept(t *testing.T) {
	move := []string{"X-User: ann", "Destination: /d"}
	for name, test := range map[string]struct {
		between         func(n *clusterNode)
		repeated, again int
	}{
		"at once":                     {func(*clusterNode) {}, 201, 404},
		"a change elsewhere":          {func(n *clusterNode) { n.wants(201, "MKCOL /e", "") }, 201, 404},
		"a change of the destination": {func(n *clusterNode) { n.wants(201, "PUT /d/new", "x") }, 404, 404},
		"late":                        {func(*clusterNode) { time.Sleep(121 * time.Second) }, 404, 404},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
				a, b := c.all[0], c.all[1]
				reached, resume := a.stopAt(func(op, name string) bool { return op == "db after" && name == "SaveRecord" })
				first := a.dial()
				first.ask("MOVE /c", move...)
				<-reached
				first.Close()
				synctest.Wait()
				resume()
				synctest.Wait()
				test.between(a)
				b.wants(test.repeated, "MOVE /c", "", move...)
				synctest.Wait()
				a.wants(test.again, "MOVE /c", "", move...)
				c.clean()
			})
		})
	}
}

// TestNodesStop: a request to any node stops an operation.
func TestNodesStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		reached, resume := a.stopAt(func(op, name string) bool {
			return op == "copymembers" || op == "open" && strings.HasSuffix(name, "/f")
		})
		first := a.dial()
		first.ask("COPY /c", "X-User: ann", "Destination: /d")
		<-reached
		time.AfterFunc(7*time.Second, resume)
		list := b.wants(200, "GET /.davd-operations/", "", "X-User: ann").body
		_, rest, _ := strings.Cut(list, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		events := b.dial()
		events.ask("GET /.davd-operations/"+id, "X-User: ann", "Accept: text/event-stream")
		b.wants(204, "DELETE /.davd-operations/"+id, "", "X-User: ann")
		if _, got := first.final(); got.status != 403 {
			t.Errorf("the COPY is answered %d: %s", got.status, got.body)
		}
		if _, got := events.final(); !strings.Contains(got.body, "event: end") || !strings.Contains(got.body, `"state":"stopped"`) {
			t.Errorf("events: %s", got.body)
		}
		b.wants(404, "GET /d", "")
		c.clean()
	})
}

// TestNodesCut: without the database, a node refuses changes, and still serves files.
func TestNodesCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a")
		a := c.all[0]
		a.state.Cut(true)
		a.wants(200, "GET /c/f", "")
		a.wants(207, "PROPFIND /c", `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`, "Depth: 1")
		for _, line := range []string{"PUT /c/f", "MKCOL /x", "DELETE /c", "LOCK /c/f", "PROPPATCH /c/f", "GET /none", "MOVE /c", "PROPFIND /c"} {
			body := ""
			switch method, _, _ := strings.Cut(line, " "); method {
			case "PUT":
				body = "x"
			case "LOCK":
				body = lockBody
			case "PROPPATCH":
				body = patchBody
			}
			if got := a.wants(503, line, body, "Destination: /e"); got.header.Get("Retry-After") == "" {
				t.Errorf("%s: there is no Retry-After", line)
			}
		}
		a.state.Cut(false)
		a.wants(204, "PUT /c/f", "new")
		c.clean()
	})
}

// TestNodesUnknown: if the end of a change can't be told to the others, the client does not get
// a 2xx. The end follows when the database can be reached.
func TestNodesUnknown(t *testing.T) {
	for _, line := range []string{"PUT /c/f", "MKCOL /x", "LOCK /new", "PROPPATCH /c/f", "MOVE /c", "COPY /c", "DELETE /c"} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
				a := c.all[0]
				reached, resume := a.stopAt(func(op, name string) bool { return op == "db" && name == "End" })
				client := a.dial()
				body := map[string]string{"PUT": "x", "LOCK": lockBody, "PROPPATCH": patchBody}[line[:strings.IndexByte(line, ' ')]]
				client.send(line, body, "Destination: /d")
				<-reached
				a.state.Cut(true)
				resume()
				if _, got := client.final(); got.status != 503 {
					t.Errorf("it is answered %d: %s", got.status, got.body)
				}
				if c.db.Works() != 1 {
					t.Error("the claim has ended")
				}
				a.state.Cut(false)
				time.Sleep(10 * time.Second)
				c.clean()
			})
		})
	}
}

// TestNodesHidden: a resource that another node is just moving is not missing.
func TestNodesHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b")
		a, b := c.all[0], c.all[1]
		renames := 0
		reached, resume := a.stopAt(func(op, name string) bool {
			if op == "rename" && name == "/c" {
				renames++
			}
			return op == "rename" && renames > 0 && name != "/c"
		})
		client := a.dial()
		client.ask("MOVE /c", "Destination: /d")
		<-reached
		if exists(t, c.fsys, "/c") || exists(t, c.fsys, "/d") {
			t.Fatal("the MOVE is not between its renames")
		}
		for _, line := range []string{"GET /c/f", "GET /d/f", "PROPFIND /d", "COPY /d"} {
			b.wants(503, line, "", "Destination: /e")
		}
		b.wants(404, "GET /none", "")
		time.AfterFunc(500*time.Millisecond, resume)
		b.wants(200, "GET /d/f", "")
		client.final()
		c.clean()
	})
}

// TestNodesTakeOver stops a node at each of its calls during a request, lets another one take over
// and change the same names, and then lets the first one go on. Its answer must be true: a 2xx
// only if the change was made, and nothing that the other node has acknowledged may be undone.
func TestNodesTakeOver(t *testing.T) {
	for _, line := range [][]string{
		{"PUT /c/f"},
		{"PUT /c/new"},
		{"MKCOL /c/new"},
		{"LOCK /c/new"},
		{"LOCK /c/f"},
		{"PROPPATCH /c/f"},
		{"DELETE /c/f"},
		{"DELETE /c"},
		{"MOVE /c/f", "Destination: /c/new"},
		{"MOVE /c", "Destination: /d"},
		{"COPY /c", "Destination: /d"},
		{"COPY /c", "Destination: /other"},
	} {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			for at := 0; ; at++ {
				last := false
				synctest.Test(t, func(t *testing.T) { last = takeOverAt(t, line, at) })
				if last || t.Failed() {
					return
				}
			}
		})
	}
}

// takeOverAt stops the node at the call with that number. last says that there was none.
func takeOverAt(t *testing.T, line []string, at int) (last bool) {
	t.Helper()
	c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old", "/other": "/", "/other/x": "x"}, "a", "b")
	a, b := c.all[0], c.all[1]
	calls, stopped := -1, ""
	var mu sync.Mutex
	reached, resume := a.stopAt(func(op, name string) bool {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls == at {
			stopped = op + " " + name
		}
		return calls >= at
	})
	client := a.dial()
	method, _, _ := strings.Cut(line[0], " ")
	body := map[string]string{"PUT": "by a", "LOCK": lockBody, "PROPPATCH": patchBody}[method]
	answered := make(chan answer, 1)
	client.send(line[0], body, append([]string{"X-User: ann"}, line[1:]...)...)
	go func() {
		_, final := client.final()
		answered <- final
	}()
	select {
	case <-reached:
	case got := <-answered:
		resume()
		if got.status/100 != 2 {
			t.Errorf("undisturbed, it is answered %d: %s", got.status, got.body)
		}
		return true
	}
	before := storagetest.ReadTree(t, c.fsys, "/")
	c.db.Declare(a.state, b.state)
	time.Sleep(5 * time.Second) // virtual: b takes over
	// Whatever has become of the request, b gives the same names new resources.
	for _, name := range []string{"/c", "/d", "/other"} {
		client := b.dial()
		client.send("DELETE "+name, "", "X-User: bob")
		if _, got := client.final(); got.status != 204 && got.status != 404 && got.status != 423 && got.status != 207 {
			t.Errorf("at %q: DELETE %s is %d: %s", stopped, name, got.status, got.body)
		}
	}
	locked := exists(t, c.fsys, "/c")
	if !locked {
		b.wants(201, "MKCOL /c", "")
		b.wants(201, "PUT /c/f", "by b")
		b.wants(201, "PUT /c/new", "by b")
	}
	b.wants(201, "MKCOL /d", "")
	after := storagetest.ReadTree(t, c.fsys, "/")
	resume()
	got := <-answered
	synctest.Wait()
	now := storagetest.ReadTree(t, c.fsys, "/")
	for name := range after {
		if storage.Reserved(name) {
			continue
		}
		if now[name] != after[name] && got.status/100 != 2 {
			t.Errorf("at %q: %s was %q and is %q, although the answer is %d; before: %v", stopped, name, after[name], now[name], got.status, before)
		}
	}
	if got.status != 503 && got.status/100 != 2 && got.status != 404 && got.status != 409 && got.status != 423 && got.status != 405 && got.status != 412 {
		t.Errorf("at %q: the answer is %d: %s", stopped, got.status, got.body)
	}
	time.Sleep(10 * time.Second)
	if stats := a.state.Cluster().Stats(); !stats.Member || stats.Held > 0 || stats.Lost != 1 {
		t.Errorf("at %q: the node is %+v", stopped, stats)
	}
	c.clean()
	return false
}

// TestNodesDelivered: a client that has its answer may send the same request again at once. It is
// then carried out, and not answered with the first result.
func TestNodesDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/f": "x"}, "a", "b")
		a, b := c.all[0], c.all[1]
		_, resume := a.stopAt(func(op, name string) bool { return op == "db" && name == "Forget" })
		defer resume()
		a.wants(201, "COPY /f", "", "X-User: ann", "Destination: /g", "Overwrite: F")
		b.wants(412, "COPY /f", "", "X-User: ann", "Destination: /g", "Overwrite: F")
		resume()
		c.clean()
	})
}

// TestNodesJoinTakeOver: a request that has joined an operation of a node that dies gets the answer
// if another node has finished the operation. If it was undone, the request does the work itself.
func TestNodesJoinTakeOver(t *testing.T) {
	for name, test := range map[string]struct {
		call   string
		done   bool
		first  int // the answer of the node that was declared dead
		reason string
	}{
		"undone":   {"Claim", true, 503, "another server has rolled it back"},
		"finished": {"End", false, 201, "another server has finished it"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startNodes(t, storagetest.Tree{"/c": "/", "/c/f": "old"}, "a", "b", "c")
				a, b, other := c.all[0], c.all[1], c.all[2]
				when := "db"
				if test.done {
					when = "db after"
				}
				reached, resume := a.stopAt(func(op, name string) bool { return op == when && name == test.call })
				first, second := a.dial(), b.dial()
				fields := []string{"X-User: ann", "Destination: /d"}
				first.ask("MOVE /c", fields...)
				<-reached
				second.ask("MOVE /c", append(fields, "Prefer: processing")...)
				location := second.next().header.Get("Location")
				c.db.Declare(a.state, other.state)
				if _, got := second.final(); got.status != 201 {
					t.Errorf("the second is answered %d: %s", got.status, got.body)
				}
				got := b.wants(200, "GET "+location, "", "X-User: ann")
				if !strings.Contains(got.body, test.reason) || !strings.Contains(got.body, `"state":"interrupted"`) {
					t.Errorf("the status document: %s", got.body)
				}
				resume()
				if _, got := first.final(); got.status != test.first {
					t.Errorf("the first is answered %d: %s", got.status, got.body)
				}
				if exists(t, c.fsys, "/c") || !exists(t, c.fsys, "/d/f") {
					t.Error("it was not moved")
				}
				c.clean()
			})
		})
	}
}

// TestNodesUpload: nodes accept no uploads in parts, and never take a part for a file.
func TestNodesUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startNodes(t, storagetest.Tree{"/f": "old"}, "a", "b")
		a := c.all[0]
		a.wants(501, "PUT /f", "part", "Upload-Complete: ?0")
		a.wants(501, "PATCH /.davd-uploads/x", "part", "Content-Type: application/partial-upload", "Upload-Offset: 0", "Upload-Complete: ?1")
		if got := a.wants(200, "GET /f", ""); got.body != "old" {
			t.Errorf("the file has %q", got.body)
		}
		if got := a.wants(200, "OPTIONS /f", ""); strings.Contains(strings.Join(got.header.Values("Accept-Patch"), ","), "partial-upload") {
			t.Errorf("OPTIONS has %v", got.header)
		}
		a.wants(204, "PUT /f", strings.Repeat("whole", 50_000), "Upload-Complete: ?1", "Upload-Draft-Interop-Version: 8")
		c.clean()
	})
}
