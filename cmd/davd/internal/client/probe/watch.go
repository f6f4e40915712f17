package probe

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/davclient"
)

// Watch sends a request to any server, asks for interim responses and writes
// each with the time at which it came. It is a real operation. destination may be
// nil. It returns the final status.
func (p *Prober) Watch(ctx context.Context, method string, source, destination *url.URL) (status int, err error) {
	header := http.Header{}
	if destination != nil {
		header.Set("Destination", destination.String())
		header.Set("Overwrite", "F")
	}
	began := time.Now()
	watched := davclient.WithInterim(ctx, func(i davclient.Interim) {
		p.write(i.Time.Sub(began), i.Status, i.Header)
	})
	response, err := p.Client.Do(watched, method, source.EscapedPath(), header, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	p.write(time.Since(began), response.StatusCode, response.Header)
	n, err := io.Copy(io.Discard, response.Body)
	fmt.Fprintf(p.Out, "%8.3f s  the end, %d bytes\n", time.Since(began).Seconds(), n)
	return response.StatusCode, err
}

// write writes a status and the header below it.
func (p *Prober) write(at time.Duration, status int, header http.Header) {
	fmt.Fprintf(p.Out, "%8.3f s  %d %s\n", at.Seconds(), status, http.StatusText(status))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			// Quoted where it holds what could move a terminal's cursor.
			if quoted := strconv.QuoteToGraphic(value); strings.Contains(quoted, `\x`) || strings.Contains(quoted, `\u`) {
				value = quoted
			}
			fmt.Fprintf(p.Out, "            %s: %s\n", name, value)
		}
	}
}
