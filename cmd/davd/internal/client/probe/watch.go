package probe

import (
	"cmp"
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

// Watch sends a request to any server, asks for interim responses and writes each one with its
// time of arrival. The request is a real operation. destination may be nil. For an
// unsuccessful final response, Watch returns a *davclient.Error.
func (p *Prober) Watch(ctx context.Context, method string, source, destination *url.URL) error {
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
		return err
	}
	defer response.Body.Close()
	p.write(time.Since(began), response.StatusCode, response.Header)
	body := &counted{ReadCloser: response.Body}
	response.Body = body
	err = davclient.ResponseError(response)
	_, rest := io.Copy(io.Discard, body)
	fmt.Fprintf(p.Out, "%8.3f s  end of the body, %d bytes\n", time.Since(began).Seconds(), body.n)
	return cmp.Or(err, rest)
}

type counted struct {
	io.ReadCloser
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

func (p *Prober) write(at time.Duration, status int, header http.Header) {
	fmt.Fprintf(p.Out, "%8.3f s  %d %s\n", at.Seconds(), status, http.StatusText(status))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			// Quote a value with characters that could move the terminal's cursor.
			if quoted := strconv.QuoteToGraphic(value); strings.Contains(quoted, `\x`) || strings.Contains(quoted, `\u`) {
				value = quoted
			}
			fmt.Fprintf(p.Out, "            %s: %s\n", name, value)
		}
	}
}
