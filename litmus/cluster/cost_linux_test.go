package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A costRequest is a request whose rate is measured.
type costRequest struct {
	name   string
	method string
	header map[string]string
	body   string
	want   int
	// path returns the path of request number n.
	path func(n int64) string
}

func sameFile(int64) string { return "/cost/file" }

func newFile(prefix string) func(int64) string {
	return func(n int64) string { return fmt.Sprintf("/cost/%s-%d", prefix, n) }
}

// costRequests are measured in this order.
var costRequests = []costRequest{
	{name: "GET of 1 KiB", method: http.MethodGet, want: 200, path: sameFile},
	{name: "PROPFIND 0", method: "PROPFIND", header: map[string]string{"Depth": "0"}, body: askCost, want: 207, path: sameFile},
	{name: "PROPFIND 1 of 1,000 files", method: "PROPFIND", header: map[string]string{"Depth": "1"}, body: askCost, want: 207, path: func(int64) string { return "/cost/many/" }},
	{name: "PUT of a new file", method: put, body: costBody, want: 201, path: newFile("put")},
	{name: "PUT onto a file", method: put, body: costBody, want: 204, path: func(n int64) string { return fmt.Sprintf("/cost/put-%d", n%100+1) }},
	{name: "PROPPATCH", method: setProp, body: valueBody("x"), want: 207, path: func(n int64) string { return fmt.Sprintf("/cost/put-%d", n%100+1) }},
	{name: "LOCK", method: acquire, header: map[string]string{"Timeout": "Second-600"}, body: lockBody("cost", false), want: 201, path: newFile("lock")},
	{name: "MKCOL", method: "MKCOL", want: 201, path: newFile("mkcol")},
	{name: "DELETE", method: remove, want: 204, path: newFile("mkcol")},
}

const (
	askCost = `<D:propfind xmlns:D="DAV:"><D:prop><D:getlastmodified/><D:getcontentlength/><D:getetag/><D:resourcetype/></D:prop></D:propfind>`
	// costClients is how many clients send requests at the same time.
	costClients = 16
	costLength  = 3 * time.Second
)

var costBody = strings.Repeat("x", 1024)

// needCost skips a measurement unless DAVD_COST is 1, or the name of a part that the test has. Without
// parts, any value runs it.
func needCost(t *testing.T, parts ...string) {
	t.Helper()
	needNamespaces(t)
	if os.Getenv("DAVD_COST") == "" || len(parts) > 0 && !slices.ContainsFunc(parts, costs) {
		t.Skip("DAVD_COST=1 runs this measurement")
	}
}

// costs reports whether DAVD_COST asks for a part.
func costs(part string) bool {
	only := os.Getenv("DAVD_COST")
	return only == "1" || only == part
}

// TestCost measures what a cluster costs. It runs with DAVD_COST=1, because the figures are
// only useful on an idle machine.
func TestCost(t *testing.T) {
	needCost(t)
	newNetwork(t, maxNodes)
	single := newSite(t, 1, nil)
	measured := map[string][]string{}
	measure(t, single, 1, measured)
	single.stop(t)
	d := newDatabase(t)
	if _, err := d.query("CREATE EXTENSION pg_stat_statements"); err != nil {
		t.Fatal(err)
	}
	shared := newSite(t, maxNodes, d)
	measure(t, shared, 1, measured)
	if err := shared.nodes[0].process.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := d.query("DELETE FROM locks"); err != nil {
		t.Fatal(err)
	}
	measure(t, shared, maxNodes, measured)
	shared.stop(t)
	t.Log("| request | SQLite, one davd | PostgreSQL, one davd | three davds | statements | commits |\n| --- | --- | --- | --- | --- | --- |")
	for _, r := range costRequests {
		t.Logf("| %s | %s |", r.name, strings.Join(measured[r.name], " | "))
	}
}

// measure sends requests to the first nodes of s, and adds the rates to measured.
func measure(t *testing.T, s *site, nodes int, measured map[string][]string) {
	t.Helper()
	files := map[string]string{"cost/file": costBody}
	for i := range 1000 {
		files[fmt.Sprintf("cost/many/%d", i)] = costBody
	}
	if err := os.RemoveAll(s.storage.argument(nil) + "/cost"); err != nil {
		t.Fatal(err)
	}
	s.plant(t, files)
	var wires []*wire
	for _, n := range s.nodes[:nodes] {
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
		w := newWire("http://" + n.files())
		t.Cleanup(w.close)
		wires = append(wires, w)
	}
	for _, n := range s.nodes[:nodes] {
		if err := n.ready(patience); err != nil {
			t.Fatal(err)
		}
	}
	removed := int64(0)
	for _, r := range costRequests {
		calls, commits := s.statements(t)
		limit := int64(1 << 60)
		if r.method == remove {
			limit = removed
		}
		count, took, err := repeat(wires, r, limit)
		if err != nil {
			t.Fatal(err)
		}
		if r.method == "MKCOL" {
			removed = count
		}
		measured[r.name] = append(measured[r.name], fmt.Sprintf("%.0f/s", float64(count)/took.Seconds()))
		if s.database != nil && nodes == maxNodes {
			afterCalls, afterCommits := s.statements(t)
			measured[r.name] = append(measured[r.name],
				fmt.Sprintf("%.1f", float64(afterCalls-calls)/float64(count)), fmt.Sprintf("%.1f", float64(afterCommits-commits)/float64(count)))
		}
	}
}

// repeat sends r from all clients until costLength has passed, or limit requests are answered.
func repeat(wires []*wire, r costRequest, limit int64) (count int64, took time.Duration, err error) {
	failed := make(chan error, costClients)
	count, took = busy(func(who int, n int64) bool {
		if n > limit {
			return false
		}
		a := wires[who%len(wires)].send(context.Background(), patience, r.method, r.path(n), r.header, r.body)
		if a.status != r.want {
			failed <- fmt.Errorf("%s %s: status %d, want %d: %.300s", r.method, r.path(n), a.status, r.want, a.body)
			return false
		}
		return true
	})
	select {
	case err = <-failed:
	default:
	}
	return count, took, err
}

// busy calls do from costClients clients until costLength has passed or do returns false. n numbers
// the calls from 1. count is how many of them returned true.
func busy(do func(who int, n int64) bool) (count int64, took time.Duration) {
	var begun, refused atomic.Int64
	var clients sync.WaitGroup
	begin := time.Now()
	for who := range costClients {
		clients.Go(func() {
			for time.Since(begin) < costLength {
				if !do(who, begun.Add(1)) {
					refused.Add(1)
					return
				}
			}
		})
	}
	clients.Wait()
	return begun.Load() - refused.Load(), time.Since(begin)
}

// statements returns how many statements the database has executed, and how many transactions have
// changed something. Prepared statements that begin and end transactions are not counted by
// pg_stat_statements.
func (s *site) statements(t *testing.T) (calls, commits int64) {
	t.Helper()
	if s.database == nil {
		return 0, 0
	}
	rows, err := s.database.query("SELECT sum(calls)::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM pg_stat_statements")
	if err != nil || len(rows) != 1 {
		t.Fatalf("%q, %v", rows, err)
	}
	first, second, _ := strings.Cut(rows[0], "|")
	calls, err = strconv.ParseInt(first, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if commits, err = strconv.ParseInt(second, 10, 64); err != nil {
		t.Fatal(err)
	}
	return calls, commits
}
