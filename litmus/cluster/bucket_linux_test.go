package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	// random decides which requests fail; nil while none does.
	random func(*http.Request) s3test.Fault
	count  map[s3test.Fault]int
}

// newBucket starts an S3 server until the test ends. Nodes must be able to reach bucketAddress.
func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{server: s3test.Start(t), count: map[s3test.Fault]int{}}
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
	s3test.ProxyAt(t, bucketAddress, b.server.Endpoint, b.draw)
}

// failing is the share of the requests that fail.
const failing = 0.07

// fail lets some requests fail until the returned function is called.
func (b *bucket) fail(seed uint64) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.random = s3test.Random(seed, failing)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.random = nil
	}
}

// slowness is how long S3 is slow: longer than s3test.Slow.
const slowness = 2 * time.Second

// draw returns the fault of the next request.
func (b *bucket) draw(r *http.Request) s3test.Fault {
	b.sent.Add(1)
	fault := b.choose(r)
	if fault == s3test.Slow {
		time.Sleep(slowness)
		return s3test.None
	}
	return fault
}

func (b *bucket) choose(r *http.Request) s3test.Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.random == nil {
		return s3test.None
	}
	fault := b.random(r)
	if fault != s3test.None {
		b.count[fault]++
	}
	return fault
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
