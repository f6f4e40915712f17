// Package probe finds out what proxies do with a davd's interim responses on the way to the
// client.
package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/dav/operation"
)

// Prober asks a davd for a probe.
type Prober struct {
	Client *davclient.Client
	Out    io.Writer
	// Seconds is how long davd should take to answer, from 1 to 20.
	Seconds int
	// Patience is how much longer to wait for the final response.
	Patience time.Duration
}

// The errors of Probe.
var (
	// ErrNotPassed means that interim responses don't get through.
	ErrNotPassed = errors.New("interim responses don't get through")
	// ErrNotKnown means that the probe could not find it out.
	ErrNotKnown = errors.New("can't find out whether interim responses get through")
)

// Probe probes the way to the collection ref. It writes what it has found, and which settings
// to use. It changes nothing, even on a server that is not a davd.
func (p *Prober) Probe(ctx context.Context, ref *url.URL) error {
	collection := strings.TrimRight(ref.EscapedPath(), "/") + "/"
	found, err := p.Client.Stat(ctx, collection)
	if err == nil && !found.Collection {
		err = errors.New("it is not a collection")
	}
	if wrong, ok := errors.AsType[*davclient.Error](err); ok && (wrong.Status == http.StatusMethodNotAllowed || wrong.Status == http.StatusNotImplemented) {
		return fmt.Errorf("%w: it is not a WebDAV server, or a proxy blocks PROPFIND", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "Asking for interim responses for %d s.\n", p.Seconds)
	seen, err := p.observe(ctx, collection)
	if err != nil {
		return err
	}
	verdict := seen.verdict()
	fmt.Fprintf(p.Out, "%s\n\n%s\n", seen.summary(), verdict.text())
	return verdict.judgement()
}

// observe sends the probe, and then a few requests that show whether the proxies still match
// answers to the right requests.
func (p *Prober) observe(ctx context.Context, collection string) (*observation, error) {
	seen := &observation{length: time.Duration(p.Seconds) * time.Second}
	limited, cancel := context.WithTimeout(ctx, seen.length+p.Patience)
	defer cancel()
	began := time.Now()
	watched := davclient.WithInterim(limited, func(i davclient.Interim) {
		if i.Status == http.StatusProcessing {
			seen.interims = append(seen.interims, i.Time.Sub(began))
		}
	})
	target := collection + operation.ProbeName
	destination, err := p.Client.Resolve(target)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Destination": {destination.String()}, "Overwrite": {"F"}, "Depth": {"0"}}
	response, err := p.Client.Do(watched, "COPY", target+"?seconds="+strconv.Itoa(p.Seconds), header, nil)
	if err == nil {
		err = seen.read(response)
	}
	seen.end = time.Since(began)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	seen.timedOut = err != nil && limited.Err() != nil
	const followers = 3
	for range followers {
		after, cancel := context.WithTimeout(ctx, p.Patience)
		found, err := p.Client.Stat(after, collection)
		cancel()
		seen.outOfStep = seen.outOfStep || err != nil || !found.Collection
	}
	return seen, nil
}

func (o *observation) read(response *http.Response) error {
	defer response.Body.Close()
	o.status = response.StatusCode
	if o.status != http.StatusOK {
		wrong, ok := errors.AsType[*davclient.Error](davclient.ResponseError(response))
		if ok && wrong.Text != http.StatusText(o.status) {
			o.said = cmp.Or(wrong.Text, wrong.Condition)
		}
		return nil
	}
	const maxReport = 64 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	if err != nil {
		o.status = 0
		return err
	}
	var report operation.ProbeReport
	if json.Unmarshal(body, &report) == nil && report.Protocol != "" {
		o.report = &report
	}
	return nil
}
