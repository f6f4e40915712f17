package pgstate

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/objectfs/names/namestest"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/storagetest/s3test"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// A wireFault is one call that fails while a request runs.
type wireFault struct {
	at  int          // the number of the call
	sql cut          // what happens to it, if the database is called
	s3  s3test.Fault // the same for S3
	all bool         // all later calls of S3 fail too
}

func (f wireFault) String() string {
	switch {
	case f.sql != cutNothing:
		return fmt.Sprintf("SQL %d, %s", f.at, map[cut]string{cutBefore: "not sent", cutWithin: "not waited for", cutAfter: "without the answer"}[f.sql])
	case f.all:
		return fmt.Sprintf("S3 from %d, %s", f.at, f.s3)
	}
	return fmt.Sprintf("S3 %d, %s", f.at, f.s3)
}

// wireFaults returns all faults of a request that calls the database and S3 so often.
func wireFaults(statements, requests int) (all []wireFault) {
	for at := 1; at <= statements; at++ {
		for _, how := range []cut{cutBefore, cutWithin, cutAfter} {
			all = append(all, wireFault{at: at, sql: how})
		}
	}
	for at := 1; at <= requests; at++ {
		for _, how := range s3test.Faults() {
			all = append(all, wireFault{at: at, s3: how})
		}
		all = append(all, wireFault{at: at, s3: s3test.InternalError, all: true}, wireFault{at: at, s3: s3test.LostAnswer, all: true})
	}
	return all
}

// faultySite is a server whose calls of the database and of S3 can fail.
type faultySite struct {
	*site

	cutter *cutter

	mu       sync.Mutex
	fault    wireFault
	requests int // to S3, since arm
}

// newFaultySite starts a server with the database dsn and the objects b.
func newFaultySite(t *testing.T, dsn string, b bucket, timing Timing) *faultySite {
	t.Helper()
	s := &faultySite{cutter: newCutter(t, dsn)}
	db := open(t, s.cutter.dsn, Options{Name: "faulty", Timing: timing})
	s.site = newPrime(t, db, b.at(t, s3test.Proxy(t, b.Endpoint, s.draw)))
	t.Cleanup(func() { s.leave(t) })
	return s
}

// leave lets the server leave. Its objects can be collected then.
func (s *faultySite) leave(t *testing.T) {
	t.Helper()
	if err := s.db.Cluster().Leave(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// draw returns what happens to a request to S3.
func (s *faultySite) draw(*http.Request) s3test.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.requests == s.fault.at || s.fault.all && s.requests >= s.fault.at {
		return s.fault.s3
	}
	return s3test.None
}

// arm makes a fault happen from now on. The zero value makes none.
func (s *faultySite) arm(f wireFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutter.cutAt(f.at, f.sql)
	s.fault, s.requests = f, 0
}

// TestRequestFaults lets each call of the database and of S3 fail while a request runs: it does not arrive, or
// its answer is lost, that of a COMMIT included. The answer to the request is true: after a 2xx, the whole
// change is made, and after any other status nothing of it. In the end names and objects agree.
func TestRequestFaults(t *testing.T) {
	dsn, b := pgtest.Database(t), newBucket(t)
	by := newPrime(t, open(t, dsn, Options{Name: "by"}), b.open(t))
	for _, r := range steppedRequests() {
		t.Run(r.name, func(t *testing.T) {
			dir := "/" + strings.ReplaceAll(r.name, " ", "") + "-"
			s := newFaultySite(t, dsn, b, quick())
			s.plant(t, dir+"0") // It also opens connections and prepares statements.
			before := by.look(t, dir+"0")
			s.arm(wireFault{})
			if status := s.request(t, r, dir+"0", nil); status/100 != 2 {
				t.Fatalf("%d", status)
			}
			statements, requests := s.cutter.counted(), s.requests
			t.Logf("%d calls of the database, %d of S3", statements, requests)
			after := by.look(t, dir+"0")
			if maps.Equal(before, after) {
				t.Fatal("it has changed nothing")
			}
			for i, f := range sweep.Sample(t, wireFaults(statements, requests), 3) {
				t.Run(f.String(), func(t *testing.T) { s.fail(t, by, r, fmt.Sprint(dir, i+1), f, before, after) })
			}
		})
	}
}

// fail is TestRequestFaults for one request and fault.
func (s *faultySite) fail(t *testing.T, by *site, r steppedRequest, dir string, f wireFault, before, after storagetest.Tree) {
	t.Helper()
	by.plant(t, dir)
	s.arm(f)
	status := s.request(t, r, dir, nil)
	s.arm(wireFault{})
	want := before
	if status/100 == 2 {
		want = after
	}
	if is := by.glance(t, dir); !maps.Equal(is, want) {
		t.Errorf("the answer is %d, and the collection has\n%q\nwant\n%q", status, is, want)
	}
	s.cutter.wait()
	if is := by.settled(t, dir); !maps.Equal(is, want) {
		t.Errorf("after the answer %d, the collection has in the end\n%q\nwant\n%q", status, is, want)
	}
	if f.s3 != s3test.None && !f.all && status/100 != 2 {
		t.Errorf("the answer is %d, but the next try would have succeeded", status)
	}
	s.collect(t)
	by.collect(t)
	by.agrees(t)
	namestest.Consistent(t, by.db)
}

// TestRequestOutages: at any call of a request, the database can't be reached any more, for so long that the
// server gives up. After a 2xx, the whole change is made, and after any other status the whole or nothing.
// When the database is back, nothing of an unfinished change is left.
func TestRequestOutages(t *testing.T) {
	dsn, b := pgtest.Database(t), newBucket(t)
	by := newPrime(t, open(t, dsn, Options{Name: "by"}), b.open(t))
	timing := quick()
	timing.Lease = 500 * time.Millisecond
	for _, r := range steppedRequests() {
		t.Run(r.name, func(t *testing.T) {
			dir := "/" + strings.ReplaceAll(r.name, " ", "") + "-"
			s := newFaultySite(t, dsn, b, timing)
			by.plant(t, dir+"0")
			before := by.look(t, dir+"0")
			s.arm(wireFault{})
			// It makes new connections, as each request after an outage.
			if status := s.request(t, r, dir+"0", nil); status/100 != 2 {
				t.Fatalf("%d", status)
			}
			calls, after := s.cutter.counted(), by.look(t, dir+"0")
			for i, at := range sweep.Steps(t, calls, 2) {
				t.Run(strconv.Itoa(at), func(t *testing.T) { s.outage(t, by, r, fmt.Sprint(dir, i+1), at, before, after) })
			}
			s.leave(t)
			by.collect(t)
			by.agrees(t)
			namestest.Consistent(t, by.db) // The rows of a copy that was interrupted end with the epoch.
		})
	}
}

// outage is TestRequestOutages for one request and call.
func (s *faultySite) outage(t *testing.T, by *site, r steppedRequest, dir string, at int, before, after storagetest.Tree) {
	t.Helper()
	by.plant(t, dir)
	eventually(t, "the server has its lease again", func() bool { return s.db.CheckWritable(t.Context()) == nil })
	s.cutter.cutFrom(at)
	status := s.request(t, r, dir, nil)
	s.cutter.cutAt(0, cutNothing)
	is := by.settled(t, dir)
	if done := maps.Equal(is, after); !done && (status/100 == 2 || !maps.Equal(is, before)) {
		t.Errorf("the answer is %d, and the collection has in the end\n%q\nwant\n%q\nor\n%q", status, is, after, before)
	}
}
