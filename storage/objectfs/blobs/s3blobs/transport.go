package s3blobs

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
)

const (
	// dialTimeout is how long a connection may take.
	dialTimeout = 5 * time.Second
	// headerTimeout is how long an answer may take after the request was sent.
	headerTimeout = 30 * time.Second
	// requestTimeout is how long a request without a body may take, with its repetitions.
	requestTimeout = time.Minute
	// slowest is the rate in bytes per second below which the transfer of a body fails.
	slowest = 64 << 10
	// readBuffer is the size of net/http's buffer for what it reads, in bytes.
	readBuffer = 64 << 10
	// stallTimeout is how long a read of an object may wait for bytes.
	stallTimeout = 30 * time.Second
)

// limit returns a context for a request with a body of size bytes, and its repetitions.
func limit(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout+time.Duration(size/slowest)*time.Second)
}

// transport returns connections for many requests at a time.
func transport(observe func(operation string, status int, took time.Duration)) http.RoundTripper {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial(&dialer),
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout, ExpectContinueTimeout: time.Second,
		MaxIdleConns: 1000, MaxIdleConnsPerHost: 256, IdleConnTimeout: 50 * time.Second,
		DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: readBuffer,
	}
	if observe == nil {
		return t
	}
	return &observed{next: t, observe: observe}
}

// observed is an http.RoundTripper that tells about each request.
type observed struct {
	next    http.RoundTripper
	observe func(operation string, status int, took time.Duration)
}

func (o *observed) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := o.next.RoundTrip(r)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	o.observe(middleware.GetOperationName(r.Context()), status, time.Since(began))
	return res, err
}
