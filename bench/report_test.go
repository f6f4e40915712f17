package main

import (
	"strings"
	"testing"
	"time"
)

// TestTables reports an invented run.
func TestTables(t *testing.T) {
	w := &work{
		name: "COPY", measures: []metric{{}, {name: "first byte"}},
		floors: []floor{{name: "`cp -r`"}, {name: "two threads"}},
	}
	// Only davd does this work, and its figure is the best round.
	alone := &work{name: "COPY alone", measures: seconds, alone: true, best: true}
	works := []*work{w, alone}
	r := &run{
		servers: &servers{peers: []*server{
			{peer: &peer{name: "nginx"}}, {peer: &peer{name: "lighttpd"}}, {peer: davd()}, {peer: davdInterim()},
		}},
		results: map[*work]map[string]*outcome{alone: {
			davdName: {samples: samples(500 * ms), cpu: 300 * ms, peak: 10 * mib},
		}, w: {
			"nginx":       {samples: samples(300*ms, 30*ms), cpu: 600 * ms, peak: 15 * mib},
			"lighttpd":    {samples: samples(ms, ms), failure: failure(&refusal{403})},
			davdName:      {samples: samples(200*ms, 10*ms), cpu: 20 * ms, peak: 20 * mib},
			"davd, 102":   {samples: samples(204*ms, 11*ms), cpu: 60 * ms, peak: 21 * mib, interim: 1001 * 3},
			"`cp -r`":     {samples: samples(400*ms, 0)},
			"two threads": {samples: samples(100*ms, 0)},
		}},
	}
	var got strings.Builder
	for _, table := range []*table{r.times("Medians", works, median), r.times("Minima", works, least), r.costs(works)} {
		if err := table.writeTo(&got); err != nil {
			t.Fatal(err)
		}
	}
	const want = `**Medians**

| work | floor | nginx | lighttpd | davd | davd, 102 |
| --- | --- | --- | --- | --- | --- |
| COPY | ` + "`cp -r`" + ` 400 ms ×2.00; two threads 100 ms ×0.50 | 300 ms ×1.50 | 403 | **200 ms** | 204 ms ×1.02 |
| COPY: first byte |  | 30.0 ms ×3.00 | 403 | **10.0 ms** | 11.0 ms ×1.10 |
| COPY alone |  |  |  | **499 ms** |  |

**Minima**

| work | floor | nginx | lighttpd | davd | davd, 102 |
| --- | --- | --- | --- | --- | --- |
| COPY | ` + "`cp -r`" + ` 399 ms ×2.01; two threads 99.0 ms ×0.50 | 299 ms ×1.50 | 403 | **199 ms** | 203 ms ×1.02 |
| COPY: first byte |  | 29.0 ms ×3.22 | 403 | **9.00 ms** | 10.0 ms ×1.11 |
| COPY alone |  |  |  | **499 ms** |  |

**Processor time of the server, and its peak resident size**

| work | nginx | lighttpd | davd | davd, 102 |
| --- | --- | --- | --- | --- |
| COPY | 200 ms, 15 MiB | – | < 10 ms, 20 MiB | 20.0 ms, 21 MiB, 1,001 × 102 |
| COPY alone |  |  | 100 ms, 10 MiB |  |

`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if err := r.davdFailures(); err != nil {
		t.Error(err)
	}
	r.results[w][davdName].failure = "500"
	if err := r.davdFailures(); err == nil || err.Error() != "davd: COPY: 500" {
		t.Errorf("got %v", err)
	}
}

// samples returns three samples of each measure: d, and a millisecond less and more.
func samples(durations ...time.Duration) [][]time.Duration {
	var all [][]time.Duration
	for _, d := range durations {
		all = append(all, []time.Duration{d, d + ms, d - ms})
	}
	return all
}

func TestTableEscapes(t *testing.T) {
	var got strings.Builder
	table := &table{title: "t", columns: []string{"a", "b"}}
	table.add("x|y\nz")
	if err := table.writeTo(&got); err != nil {
		t.Fatal(err)
	}
	if want := "**t**\n\n| a | b |\n| --- | --- |\n| x\\|y z |  |\n\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}
