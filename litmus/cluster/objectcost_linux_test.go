package cluster

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The sizes of the trees and files of TestObjectCost.
const (
	movedFiles  = 10_000
	listedFiles = 20_000
	allFiles    = 100_000
	largeFile   = 1 << 30
)

// objectCost measures one davd whose files are in S3.
type objectCost struct {
	t      *testing.T
	site   *site
	bucket *bucket
	wire   *wire
	rows   []string
}

// TestObjectCost measures what files in S3 cost, next to what the database and S3 take alone, and
// next to rclone serve webdav on the same bucket. It runs with
// DAVD_COST=1, or with the name of a part.
func TestObjectCost(t *testing.T) {
	needCost(t)
	newNetwork(t, 1)
	s, b := newObjectSite(t, 1)
	c := startCost(t, s, b, "")
	c.baselines()
	for _, part := range []struct {
		name    string
		measure func()
	}{{"trees", c.trees}, {"puts", c.puts}, {"gets", c.gets}, {"rclone", c.rclone}} {
		if costs(part.name) {
			part.measure()
		}
	}
	c.stop()
}

// startCost starts the davd that is measured, with more parameters of the bucket.
func startCost(t *testing.T, s *site, b *bucket, parameters string) *objectCost {
	t.Helper()
	// Without the proxy and the cables, which would cost the most.
	o := b.storage(s, b.server.Endpoint)
	s.storage = o
	s.nodes[0].inside = true
	s.nodes[0].flags = append(s.nodes[0].flags, "--storage", o.place()+parameters)
	s.start(t)
	c := &objectCost{t: t, site: s, bucket: b, wire: newWire("http://" + s.nodes[0].files())}
	t.Cleanup(c.wire.close)
	return c
}

// stop stops davd and prints the table.
func (c *objectCost) stop() {
	c.t.Helper()
	c.site.stop(c.t)
	c.t.Log("| work | result | baseline |\n| --- | --- | --- |\n" + strings.Join(c.rows, "\n"))
}

// TestInlineCost compares PUTs of files whose content is in the database, which flushes each commit to
// the disk, with its commits. It runs with DAVD_COST=1 or DAVD_COST=inline.
func TestInlineCost(t *testing.T) {
	needCost(t, "inline")
	newNetwork(t, 1)
	s, b := newSite(t, 1, newDatabase(t, "fsync=on", "full_page_writes=on")), newBucket(t)
	s.nodes[0].env = bucketEnv()
	c := startCost(t, s, b, "&inline=8192")
	if _, err := s.database.query("CREATE TABLE baseline (text TEXT)"); err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(context.Background(), s.database.dsn+"&pool_max_conns="+strconv.Itoa(costClients))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	c.comparePuts("commits", func(int, int64) {
		if _, err := pool.Exec(context.Background(), "INSERT INTO baseline VALUES ($1)", costBody); err != nil {
			t.Error(err)
		}
	})
	c.stop()
}

// row adds a line to the table.
func (c *objectCost) row(work, result, baseline string) {
	line := fmt.Sprintf("| %s | %s | %s |", work, result, baseline)
	c.rows = append(c.rows, line)
	c.t.Log(line)
}

// send sends a request that must succeed, and returns how long it takes.
func (c *objectCost) send(w *wire, method, name string, header map[string]string, body string, want ...int) time.Duration {
	c.t.Helper()
	begin := time.Now()
	a := w.send(context.Background(), patience, method, name, header, body)
	took := time.Since(begin)
	if !slices.Contains(want, a.status) {
		c.t.Fatalf("%s %s: status %d, want one of %v: %.300s", method, name, a.status, want, a.body)
	}
	return took
}

// plant makes a collection with n collections of m files.
func (c *objectCost) plant(name string, n, m int) {
	c.t.Helper()
	c.send(c.wire, "MKCOL", name, nil, "", http.StatusCreated)
	first := name + "/0"
	c.send(c.wire, "MKCOL", first, nil, "", http.StatusCreated)
	for i := range min(m, 1000) {
		c.send(c.wire, put, fmt.Sprintf("%s/file-%05d", first, i), nil, costBody, http.StatusCreated)
	}
	for i := 1000; i < m; i++ { // COPY is quicker than PUT.
		c.copy(c.wire, fmt.Sprintf("%s/file-%05d", first, i%1000), fmt.Sprintf("%s/file-%05d", first, i))
	}
	for i := 1; i < n; i++ {
		c.copy(c.wire, first, fmt.Sprintf("%s/%d", name, i))
	}
}

func (c *objectCost) copy(w *wire, from, to string) time.Duration {
	c.t.Helper()
	return c.send(w, "COPY", from, map[string]string{"Destination": w.url + to}, "", http.StatusCreated, http.StatusNoContent)
}

func (c *objectCost) move(w *wire, from, to string) time.Duration {
	c.t.Helper()
	return c.send(w, "MOVE", from, map[string]string{"Destination": w.url + to}, "", http.StatusCreated, http.StatusNoContent)
}

func (c *objectCost) list(w *wire, name, depth string) time.Duration {
	c.t.Helper()
	return c.send(w, "PROPFIND", name, map[string]string{"Depth": depth}, askCost, http.StatusMultiStatus)
}

// median calls do an odd number of times.
func median(times int, do func(i int) time.Duration) time.Duration {
	took := make([]time.Duration, times)
	for i := range took {
		took[i] = do(i)
	}
	return middle(took)
}

// middle returns the median of an odd number of values, which it sorts.
func middle[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func show(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// baselines measures the database and S3 alone.
func (c *objectCost) baselines() {
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, c.site.database.dsn)
	if err != nil {
		c.t.Fatal(err)
	}
	defer connection.Close(ctx)
	c.row("SELECT 1", "", show(median(501, func(int) time.Duration {
		begin := time.Now()
		if _, err := connection.Exec(ctx, "SELECT 1"); err != nil {
			c.t.Fatal(err)
		}
		return time.Since(begin)
	})))
	c.bucket.put(c.t, "baseline", costBody)
	c.row("HEAD in S3", "", show(median(501, func(int) time.Duration {
		begin := time.Now()
		c.bucket.head(c.t, "baseline")
		return time.Since(begin)
	})))
}

// trees measures requests for whole trees.
func (c *objectCost) trees() {
	c.plant("/tree", movedFiles/100, 100)
	c.plant("/many", 1, listedFiles)
	c.plant("/all", allFiles/1000, 1000)
	names := []string{"/tree", "/moved"}
	took := median(21, func(i int) time.Duration { return c.move(c.wire, names[i%2], names[(i+1)%2]) })
	c.move(c.wire, "/moved", "/tree")
	c.row(fmt.Sprintf("MOVE of %d files", movedFiles), show(took), "at most 5 ms")
	before := c.requests()
	took = median(5, func(i int) time.Duration { return c.copy(c.wire, "/tree", fmt.Sprintf("/copy-%d", i)) })
	c.row(fmt.Sprintf("COPY of %d files", movedFiles), fmt.Sprintf("%s, %d requests to S3", show(took), c.requests()-before), "at most 1 s, none")
	c.row(fmt.Sprintf("PROPFIND 1 of %d files", listedFiles), show(median(7, func(int) time.Duration { return c.list(c.wire, "/many/0", "1") })), "at most 150 ms")
	c.row(fmt.Sprintf("PROPFIND infinity of %d files", allFiles), show(median(3, func(int) time.Duration { return c.list(c.wire, "/all", "infinity") })), "at most 1 s")
	c.row(fmt.Sprintf("DELETE of %d files", movedFiles), show(median(5, func(i int) time.Duration {
		return c.send(c.wire, remove, fmt.Sprintf("/copy-%d", i), nil, "", http.StatusNoContent)
	})), "")
}

// rate is busy with calls that never fail. It returns how many there were in a second.
func rate(do func(n int64)) float64 {
	count, took := busy(func(_ int, n int64) bool {
		do(n)
		return true
	})
	return float64(count) / took.Seconds()
}

// requests returns how many requests the node has sent to S3.
func (c *objectCost) requests() (n int64) {
	c.t.Helper()
	response, err := http.Get("http://" + c.site.nodes[0].health() + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "davd_s3_requests_total{") {
			fields := strings.Fields(line)
			count, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				c.t.Fatal(err)
			}
			n, found = n+int64(count), true
		}
	}
	if !found {
		c.t.Error("there is no metric of the requests to S3")
	}
	return n
}

// putRounds is how often PUTs and their baseline are measured, in turns.
const putRounds = 5

// puts compares PUTs with those of S3 alone.
func (c *objectCost) puts() {
	c.comparePuts("S3", func(round int, n int64) { c.bucket.put(c.t, fmt.Sprintf("plain-%d-%d", round, n), costBody) })
}

// comparePuts compares PUTs of new files, from clients at the same time, with a baseline.
func (c *objectCost) comparePuts(name string, baseline func(round int, n int64)) {
	c.send(c.wire, "MKCOL", "/puts", nil, "", http.StatusCreated)
	measured := func(who string, do func(n int64)) float64 {
		before := processorTimes(c.t)
		r := rate(do)
		c.t.Logf("%s: %.0f/s; processor time of each: %s", who, r, shares(before, processorTimes(c.t), r*costLength.Seconds()))
		return r
	}
	var plain, davd, ratios []float64
	for round := range putRounds {
		plain = append(plain, measured(name, func(n int64) { baseline(round, n) }))
		davd = append(davd, measured("davd", func(n int64) {
			c.send(c.wire, put, fmt.Sprintf("/puts/%d-%d", round, n), nil, costBody, http.StatusCreated)
		}))
		ratios = append(ratios, davd[round]/plain[round])
	}
	slices.Sort(ratios)
	c.row("PUT of 1 KiB, 16 clients", fmt.Sprintf("%.0f/s", middle(davd)),
		fmt.Sprintf("%s %.0f/s, ratio %.2f (%.2f to %.2f), at least 0.5", name, middle(plain), middle(ratios), ratios[0], ratios[putRounds-1]))
}

// gets compares the GET of a large file with that of S3 alone, in turns.
func (c *objectCost) gets() {
	c.upload("/large")
	c.bucket.putLarge(c.t, "large", largeFile)
	var plain, davd []time.Duration
	for range 5 {
		plain = append(plain, c.bucket.get(c.t, "large", largeFile))
		davd = append(davd, c.download("/large"))
	}
	s3, own := middle(plain), middle(davd)
	c.row("GET of 1 GiB", show(own), fmt.Sprintf("S3 %s, ratio of the rates %.2f, at least 0.8", show(s3), s3.Seconds()/own.Seconds()))
}

func (c *objectCost) do(method, name string, body io.Reader, size int64, want int) (*http.Response, error) {
	request, err := http.NewRequest(method, c.wire.url+name, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = size
	request.SetBasicAuth(userName, password)
	response, err := c.wire.client.Do(request)
	if err == nil && response.StatusCode != want {
		_ = response.Body.Close()
		err = fmt.Errorf("%s %s: %s", method, name, response.Status)
	}
	return response, err
}

func (c *objectCost) upload(name string) {
	c.t.Helper()
	response, err := c.do(put, name, io.LimitReader(zeros{}, largeFile), largeFile, http.StatusCreated)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = response.Body.Close()
}

func (c *objectCost) download(name string) time.Duration {
	c.t.Helper()
	begin := time.Now()
	response, err := c.do(http.MethodGet, name, nil, 0, http.StatusOK)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); err != nil || n != largeFile {
		c.t.Fatalf("GET %s: %d bytes, %v", name, n, err)
	}
	return time.Since(begin)
}

// longestTry is how long try waits.
const longestTry = time.Minute

// try sends a request that may take too long.
func (c *objectCost) try(w *wire, method, name string, header map[string]string) string {
	c.t.Helper()
	begin := time.Now()
	a := w.send(context.Background(), longestTry, method, name, header, "")
	if took := time.Since(begin); a.status != 0 {
		return fmt.Sprintf("%s (status %d)", show(took), a.status)
	}
	return fmt.Sprintf("no answer within %v", longestTry)
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// rclone measures rclone serve webdav, whose files have their names as keys in the same bucket.
func (c *objectCost) rclone() {
	url := c.bucket.serveByRclone(c.t, "rclone")
	w := newWire(url)
	c.t.Cleanup(w.close)
	var planted atomic.Int64
	var clients sync.WaitGroup
	for range costClients {
		clients.Go(func() {
			for {
				n := planted.Add(1) - 1
				if n >= movedFiles+listedFiles {
					return
				}
				key := fmt.Sprintf("rclone/tree/%d/file-%05d", n/100, n)
				if n >= movedFiles {
					key = fmt.Sprintf("rclone/many/0/file-%05d", n)
				}
				c.bucket.put(c.t, key, costBody)
			}
		})
	}
	clients.Wait()
	c.send(w, "MKCOL", "/puts", nil, "", http.StatusCreated)
	c.row("rclone: PUT of 1 KiB, 16 clients", fmt.Sprintf("%.0f/s", rate(func(n int64) {
		c.send(w, put, fmt.Sprintf("/puts/%d", n), nil, costBody, http.StatusCreated)
	})), "")
	c.row(fmt.Sprintf("rclone: PROPFIND 1 of %d files", listedFiles), c.try(w, "PROPFIND", "/many/0", map[string]string{"Depth": "1"}), "")
	c.row(fmt.Sprintf("rclone: COPY of %d files", movedFiles), c.try(w, "COPY", "/tree", map[string]string{"Destination": w.url + "/copy"}), "")
	c.row(fmt.Sprintf("rclone: MOVE of %d files", movedFiles), c.try(w, "MOVE", "/tree", map[string]string{"Destination": w.url + "/moved"}), "")
}
