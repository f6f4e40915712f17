package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/davd/davd/storage/objectfs"
)

// Objects counts requests to S3, and what is removed there.
type Objects struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	removed  *prometheus.CounterVec
}

// WatchObjects adds the figures of storages whose content is in objects.
func (m *Metrics) WatchObjects() *Objects {
	return &Objects{
		requests: m.counter("s3_requests_total", "Requests to S3, by the status of the answer; none if there was no answer. Repetitions count.", "operation", "status"),
		duration: m.histogram("s3_request_duration_seconds", "Time until S3 answered, without the transfer of content to davd.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "operation"),
		removed: m.counter("objects_removed_total", "Objects that were removed because no file had them, were of a lost upload, or were never complete.", "why"),
	}
}

// Request counts a request to S3. status is 0 if there was no answer.
func (o *Objects) Request(operation string, status int, took time.Duration) {
	label := "none"
	if status != 0 {
		label = strconv.Itoa(status)
	}
	o.requests.WithLabelValues(operation, label).Inc()
	o.duration.WithLabelValues(operation).Observe(took.Seconds())
}

// Collected counts what a collector has removed.
func (o *Objects) Collected(done objectfs.Collected) {
	o.removed.WithLabelValues("unused").Add(float64(done.Objects))
	o.removed.WithLabelValues("orphan").Add(float64(done.Orphans))
	o.removed.WithLabelValues("unfinished").Add(float64(done.Unfinished))
}
