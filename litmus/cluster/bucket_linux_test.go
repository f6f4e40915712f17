package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/davd/davd/storage/storagetest/s3test"
)

// bucketAddress is where all nodes reach the bucket. It is an address of the tests, beyond the
// cables to the database.
const bucketAddress = "198.18.255.1:7070"

// A bucket is one of a real S3 server, behind a proxy that can fail.
type bucket struct {
	server *s3test.Server
	name   string
	client *s3.Client

	sent atomic.Int64 // requests through the proxy

	mu sync.Mutex
	// rng decides which requests fail; nil while none does.
	rng   *rand.Rand
	count map[string]int // faults
}

// newBucket starts an S3 server until the test ends. Nodes must be able to reach bucketAddress.
func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{server: s3test.Start(t), count: map[string]int{}}
	b.name, b.client = b.server.Bucket(t), s3test.Client(b.server.Endpoint)
	return b
}

// faulty starts the proxy and lets all nodes reach it, until the test ends.
func (b *bucket) faulty(t *testing.T, nodes int) {
	t.Helper()
	host, _, err := net.SplitHostPort(bucketAddress)
	if err != nil {
		t.Fatal(err)
	}
	err = run("ip", "address", "replace", host+"/32", "dev", "lo")
	for n := 1; n <= nodes && err == nil; n++ {
		err = run("ip", "-n", namespace(n), "route", "replace", host+"/32", "via", toDatabase.address(n, 1))
	}
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(b.server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		// The signature of a request has its host.
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host },
		ErrorLog:  log.New(io.Discard, "", 0),
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	listener, err := net.Listen("tcp", bucketAddress)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: b.failing(proxy), ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
}

// fail lets some requests fail until the returned function is called.
func (b *bucket) fail(seed uint64) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rng = rand.New(rand.NewPCG(seed, 7000))
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.rng = nil
	}
}

// The faults of a request.
const (
	noFault     = ""
	busyFault   = "S3 answers 503"
	brokenFault = "S3 answers 500"
	cutBefore   = "S3 cut before the request"
	cutAfter    = "S3 answer lost"
	cutWithin   = "S3 answer cut"
	slowFault   = "S3 slow"
)

// draw returns the fault of the next request.
func (b *bucket) draw() (fault string, after int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rng == nil {
		return noFault, 0
	}
	// 6 % of the requests fail.
	faults := []string{busyFault, brokenFault, cutBefore, cutAfter, cutWithin, slowFault}
	i := b.rng.IntN(100)
	if i >= len(faults) {
		return noFault, 0
	}
	b.count[faults[i]]++
	return faults[i], b.rng.Int64N(1 << 10)
}

// failing returns proxy with faults.
func (b *bucket) failing(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.sent.Add(1)
		switch fault, after := b.draw(); fault {
		case busyFault:
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case brokenFault:
			refuse(w, http.StatusInternalServerError, "InternalError")
		case cutBefore:
			panic(http.ErrAbortHandler)
		case cutAfter:
			proxy.ServeHTTP(&cutting{ResponseWriter: w}, r)
			panic(http.ErrAbortHandler)
		case cutWithin:
			proxy.ServeHTTP(&cutting{ResponseWriter: w, left: after, header: true}, r)
		case slowFault:
			time.Sleep(2 * time.Second)
			proxy.ServeHTTP(w, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>a fault of the test</Message></Error>", code)
}

// cutting is a ResponseWriter that sends only the header and some bytes, or nothing.
type cutting struct {
	http.ResponseWriter
	left   int64
	header bool
}

// Header implements http.ResponseWriter, like the methods below.
func (c *cutting) Header() http.Header {
	if !c.header {
		return http.Header{}
	}
	return c.ResponseWriter.Header()
}

func (c *cutting) WriteHeader(status int) {
	if c.header {
		c.ResponseWriter.WriteHeader(status)
	}
}

func (c *cutting) Write(p []byte) (int, error) {
	if !c.header {
		return len(p), nil
	}
	if int64(len(p)) > c.left {
		_, _ = c.ResponseWriter.Write(p[:c.left])
		if f, ok := c.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	c.left -= int64(len(p))
	return c.ResponseWriter.Write(p)
}

// String returns how many faults of each kind there were.
func (b *bucket) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(b.count)
}

// newObjectSite prepares n nodes over a bucket, which they reach through the proxy.
func newObjectSite(t *testing.T, n int) (*site, *bucket) {
	t.Helper()
	s, b := newSite(t, n, newDatabase(t)), newBucket(t)
	b.faulty(t, n)
	o := b.storage(s, "http://"+bucketAddress)
	t.Cleanup(o.wire.close)
	s.storage = o
	for _, each := range s.nodes {
		each.flags = append(each.flags, "--storage", o.place())
		each.env = bucketEnv()
	}
	return s, b
}

// storage returns the files of s in the bucket.
func (b *bucket) storage(s *site, endpoint string) *objects {
	return &objects{site: s, wire: newWire("http://" + balancerAddress), endpoint: endpoint, bucket: b.name}
}

// bucketEnv is the environment of davd with a bucket. HAProxy's directory of certificates hides those
// of the system, which a variable may name.
func bucketEnv() []string { return append(s3test.Env(), "AWS_CA_BUNDLE=") }

func (b *bucket) put(t *testing.T, key, text string) {
	t.Helper()
	_, err := b.client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: strings.NewReader(text)})
	if err != nil {
		t.Error(err)
	}
}

func (b *bucket) head(t *testing.T, key string) {
	t.Helper()
	if _, err := b.client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &b.name, Key: &key}); err != nil {
		t.Error(err)
	}
}

// putLarge stores an object of size zeros.
func (b *bucket) putLarge(t *testing.T, key string, size int64) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err == nil {
		defer file.Close()
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = b.client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: file})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// get reads an object of the given size to its end.
func (b *bucket) get(t *testing.T, key string, size int64) time.Duration {
	t.Helper()
	begin := time.Now()
	out, err := b.client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if n, err := io.Copy(io.Discard, out.Body); err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	return time.Since(begin)
}

// serveByRclone lets rclone serve a part of the bucket until the test ends, and returns its URL.
func (b *bucket) serveByRclone(t *testing.T, prefix string) string {
	t.Helper()
	const address = "127.0.0.1:8090"
	args := []string{
		"serve", "webdav", ":s3:" + b.name + "/" + prefix, "--addr", address, "--vfs-cache-mode", "off", "--dir-cache-time", "0s", "--use-server-modtime",
		"--s3-provider", "Other", "--s3-endpoint", b.server.Endpoint, "--s3-access-key-id", s3test.AccessKey,
		"--s3-secret-access-key", s3test.SecretKey, "--s3-region", s3test.Region, "--s3-force-path-style",
	}
	out := &output{}
	rclone, err := startProcess(out, "env", append([]string{"HOME=" + t.TempDir(), "AWS_CA_BUNDLE=", "rclone"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rclone.kill)
	err = await(patience, rclone, func() error {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return errors.Join(err, fmt.Errorf("rclone: %s", out))
		}
		return connection.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + address
}
