// Package metrics counts what davd does, for Prometheus, and says whether davd is healthy. All
// labels have few values, which no client can add to. docs/metrics.md lists the metrics.
package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
)

// Metrics are the metrics of one davd.
type Metrics struct {
	registry *prometheus.Registry

	requests, received, sent *prometheus.CounterVec
	duration                 *prometheus.HistogramVec
	logins                   *prometheus.CounterVec
	finished, members, bytes *prometheus.CounterVec
	interim, withheld        *prometheus.CounterVec
	storage                  *prometheus.HistogramVec
}

// New returns metrics of davd with this version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counter("requests_total", "Requests that were answered. Without shares the label share is empty.", "method", "status", "share")
	m.received = m.counter("request_body_bytes_total", "Bytes of request bodies that were read.", "share")
	m.sent = m.counter("response_body_bytes_total", "Bytes of response bodies that were sent.", "share")
	m.duration = m.histogram("request_duration_seconds", "Time until a request was answered. A COPY, MOVE or DELETE may take hours.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}, "method")
	m.logins = m.counter("logins_total", "Requests with a name and a password. Clients send them with each request.", "result")
	m.finished = m.counter("operations_finished_total", "COPY, MOVE, DELETE and PROPFIND operations that have ended, by the status of the answer.", "method", "status")
	m.members = m.counter("operation_members_total", "Files and collections that finished operations have worked on.", "method")
	m.bytes = m.counter("operation_bytes_total", "Bytes of content that finished operations have worked on.", "method")
	m.interim = m.counter("interim_responses_total", "Interim responses (102 Processing) that were sent, by the name of the client in the table of davd clients.", "client")
	m.withheld = m.counter("interim_withheld_total", "Requests that got no interim responses, or no more, by the rule that says so.", "client", "rule")
	m.storage = m.histogram("storage_call_duration_seconds", "Time of calls of the storage, without the transfer of content.",
		[]float64{.00001, .000025, .0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 5, 30}, "call")
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "davd_info", Help: "1, with the version of davd as a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

const namespace = "davd"

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// other is the label of what has no name of its own.
const other = "other"

// methods are the methods with a label of their own.
var methods = []string{
	"OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH",
}

func methodLabel(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return other
}

// Request counts a request that was answered. It is a function for accesslog.Handler.Done.
func (m *Metrics) Request(_ *http.Request, r accesslog.Record) {
	method := methodLabel(r.Method)
	m.requests.WithLabelValues(method, strconv.Itoa(r.Status), r.Share).Inc()
	m.received.WithLabelValues(r.Share).Add(float64(r.BytesIn))
	m.sent.WithLabelValues(r.Share).Add(float64(r.BytesOut))
	m.duration.WithLabelValues(method).Observe(r.Duration.Seconds())
	switch {
	case !r.NamesUser:
	case r.Status == http.StatusUnauthorized:
		m.logins.WithLabelValues("refused").Inc()
	case r.User != "":
		m.logins.WithLabelValues("accepted").Inc()
	}
}

// Ended counts an operation that has ended. It is the OperationEnded of a dav.Handler.
func (m *Metrics) Ended(op operation.Operation) {
	method := methodLabel(op.Method)
	m.finished.WithLabelValues(method, strconv.Itoa(op.Status)).Inc()
	m.members.WithLabelValues(method).Add(float64(op.Progress.Done))
	m.bytes.WithLabelValues(method).Add(float64(op.Progress.Bytes))
}

// WatchInterim makes policy call m, and then what it has called before.
func (m *Metrics) WatchInterim(policy *interim.Policy) {
	sent, withheld := policy.Sent, policy.Withheld
	policy.Sent = func(r *http.Request, header http.Header) {
		m.interim.WithLabelValues(clientLabel(policy, r)).Inc()
		if sent != nil {
			sent(r, header)
		}
	}
	policy.Withheld = func(r *http.Request, why interim.Withheld) {
		m.withheld.WithLabelValues(clientLabel(policy, r), strconv.Itoa(why.Rule)).Inc()
		if withheld != nil {
			withheld(r, why)
		}
	}
}

// clientLabel returns the name of a client in the table of known clients.
func clientLabel(policy *interim.Policy, r *http.Request) string {
	if client, known := policy.Client(r.UserAgent()); known {
		return client.Product
	}
	return other
}

// WatchStorage returns fsys, and measures its calls.
func (m *Metrics) WatchStorage(fsys storage.FS) storage.FS {
	return intercept.Observe(fsys, func(call string, took time.Duration) {
		m.storage.WithLabelValues(call).Observe(took.Seconds())
	})
}
