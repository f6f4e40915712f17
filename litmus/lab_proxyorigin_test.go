package litmus

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav/davclient"
)

// trustedFlags make davd trust the proxies of the lab to forward the scheme and host.
var trustedFlags = []string{"--trusted-proxy", "127.0.0.1/32"}

// The cells of originCell. With leadFinal, Status-URI is missing because no interim responses
// are sent. With leadBack, Destination does not work either, because davd does not know the
// host in it.
const (
	leadAll   = "Destination, Location, Status-URI"
	leadFinal = "Destination, Location"
	leadBack  = "Location"
)

// originCell returns which URLs lead through p without being changed: the Destination of the
// client, and the Location and Status-URI of davd.
func (p labProxy) originCell(t *testing.T) string {
	t.Helper()
	dir := publicDir(t)
	share := filepath.Join(dir, "share")
	writeHoles(t, filepath.Join(share, "src"), 16)
	flags := slices.Concat([]string{"--latency", labLatency}, interimFlags("auto", "1s"), p.davd, trustedFlags)
	davd := serve(t, append(flags, share)...)
	front := originClient{
		t: t, url: p.front(2*labPatience)(t, strings.TrimPrefix(davd.url, "http://")), protocol: "HTTP/1.1",
		transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
	}
	if p.http2 {
		front.protocol = "HTTP/2.0"
	}
	defer front.transport.CloseIdleConnections()

	var leads []string
	absolute := front.do("COPY", "/src", "Destination: "+front.url+"/copied", "Prefer: processing")
	if absolute.StatusCode == http.StatusCreated {
		leads = append(leads, "Destination")
	} else {
		front.do("COPY", "/src", "Destination: /copied", "Prefer: processing")
	}
	accepted := front.do("COPY", "/src", "Destination: /accepted", "Prefer: respond-async, wait=0")
	if location, err := accepted.Location(); err == nil && accepted.StatusCode == http.StatusAccepted && front.leads(location.String()) {
		leads = append(leads, "Location")
		if stopped := front.do("DELETE", location.Path); stopped.StatusCode != http.StatusNoContent {
			t.Errorf("stopping it through the proxy is %s", stopped.Status)
		}
	}
	if len(front.told) > 0 && !slices.ContainsFunc(front.told, func(url string) bool { return !front.leads(url) }) {
		leads = append(leads, "Status-URI")
	}
	t.Logf("Location %q, Status-URI %q\n%s", accepted.Header.Get("Location"), front.told, davd.log)
	return strings.Join(leads, ", ")
}

// originClient is a client of the proxy at url.
type originClient struct {
	t             *testing.T
	url, protocol string
	transport     *http.Transport
	// told are the URLs in Status-URI headers.
	told []string
}

// do sends a request for path, and returns the response without its body.
func (c *originClient) do(method, path string, fields ...string) *http.Response {
	c.t.Helper()
	return c.ask(method, c.url+path, fields...)
}

func (c *originClient) ask(method, url string, fields ...string) *http.Response {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(c.t.Context(), &httptrace.ClientTrace{Got1xxResponse: c.note}), clientTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		c.t.Fatal(err)
	}
	if response.Proto != c.protocol {
		c.t.Errorf("the proxy speaks %s, want %s", response.Proto, c.protocol)
	}
	return response
}

// note stores the Status-URI header of an interim response.
func (c *originClient) note(_ int, header textproto.MIMEHeader) error {
	statuses, err := davclient.ParseStatusURI(header["Status-Uri"])
	for _, status := range statuses {
		c.told = append(c.told, status.URI)
	}
	return err
}

// leads reports whether url leads through the proxy to an existing resource.
func (c *originClient) leads(url string) bool {
	c.t.Helper()
	return strings.HasPrefix(url, c.url+"/") && c.ask(http.MethodHead, url).StatusCode == http.StatusOK
}

// writeHoles creates sparse files. Each is so large that davd copies it separately, so that members
// are finished at different times and not all at the end.
func writeHoles(t *testing.T, dir string, count int) {
	t.Helper()
	writeFiles(t, dir, count)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Truncate(name, 8<<20); err != nil {
			t.Fatal(err)
		}
	}
}
