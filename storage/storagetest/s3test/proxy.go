package s3test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Fault is what a proxy does to a request.
type Fault string

// The faults.
const (
	None          Fault = ""
	SlowDown      Fault = "answers 503"
	InternalError Fault = "answers 500"
	CutBefore     Fault = "cuts the connection before the request arrives"
	CutRequest    Fault = "cuts the connection within the body of the request"
	LostAnswer    Fault = "loses the answer"
	CutAnswer     Fault = "cuts the answer"
	Slow          Fault = "waits"
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{SlowDown, InternalError, CutBefore, CutRequest, LostAnswer, CutAnswer, Slow}
}

// slowness is how long Slow waits.
const slowness = 100 * time.Millisecond

// Random returns a function for [Proxy] that chooses faults for this share of all requests.
func Random(seed uint64, share float64) func(*http.Request) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() >= share {
			return None
		}
		faults := Faults()
		return faults[random.IntN(len(faults))]
	}
}

// Proxy starts a proxy in front of an S3 server until the end of the test, and returns its endpoint.
// fault is called with each request.
func Proxy(tb testing.TB, endpoint string, fault func(*http.Request) Fault) string {
	tb.Helper()
	return ProxyAt(tb, "127.0.0.1:0", endpoint, fault)
}

// ProxyAt is Proxy at an address of its own.
func ProxyAt(tb testing.TB, address, endpoint string, fault func(*http.Request) Fault) string {
	tb.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	p := &faulty{to: to, transport: transport, fault: fault}
	listener, err := net.Listen("tcp", address) //nolint:noctx // it takes no time
	if err != nil {
		tb.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}}
	server.Start()
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL
}

// faulty is the handler of a proxy.
type faulty struct {
	to        *url.URL
	transport http.RoundTripper
	fault     func(*http.Request) Fault
}

func (p *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.fault(r)
	switch fault {
	case SlowDown:
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return
	case InternalError:
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	case CutBefore:
		panic(http.ErrAbortHandler)
	case Slow:
		time.Sleep(slowness)
	}
	res, err := p.forward(r, fault)
	if err != nil || fault == LostAnswer {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	var body io.Reader = res.Body
	if fault == CutAnswer {
		body = io.LimitReader(body, max(res.ContentLength/2, 0))
	}
	if _, err := io.Copy(w, body); err != nil || fault == CutAnswer {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
}

// forward sends the request on. The signature contains the host that the client has used.
func (p *faulty) forward(r *http.Request, fault Fault) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = p.to.Scheme, p.to.Host, ""
	if fault == CutRequest {
		out.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), broken{}))
	}
	if r.ContentLength == 0 {
		out.Body = http.NoBody
	}
	res, err := p.transport.RoundTrip(out)
	if err == nil && fault == LostAnswer {
		_, err = io.Copy(io.Discard, res.Body)
		err = errors.Join(err, res.Body.Close())
	}
	return res, err
}

// broken is a reader that fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>a fault of the test</Message></Error>", code)
}
