package kill

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An answer is a response that a client got. It is complete unless there was an error.
type answer struct {
	status int
	token  string // the header Lock-Token
	body   string
}

func (a answer) done() bool {
	return a.status >= 200 && a.status < 300 && a.status != http.StatusMultiStatus
}

// A wire sends requests.
type wire struct {
	url    string
	client *http.Client
}

func newWire(url string) *wire {
	return &wire{url: url, client: &http.Client{Transport: &http.Transport{}, Timeout: patience}}
}

func (w *wire) close() { w.client.CloseIdleConnections() }

// send sends one request and reads all of the answer.
func (w *wire) send(ctx context.Context, method, name string, header map[string]string, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.url+name, body)
	if err != nil {
		return answer{}, err
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	response, err := w.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, token: strings.Trim(response.Header.Get("Lock-Token"), "<>")}
	content, err := io.ReadAll(response.Body)
	a.body = string(content)
	// The status may be enough even if the connection then broke: see final.
	return a, err
}

// do sends the request of o.
func (w *wire) do(ctx context.Context, o *operation) (answer, error) {
	var body io.Reader = http.NoBody
	if o.body != "" {
		body = strings.NewReader(o.body)
		if o.chunked {
			body = struct{ io.Reader }{body}
		}
	}
	return w.send(ctx, o.method, o.src, o.header, body)
}

// multistatus is the part of a 207 that a view needs.
type multistatus struct {
	Responses []struct {
		Href   string `xml:"DAV: href"`
		Status string `xml:"DAV: status"`
		Props  []struct {
			Status string `xml:"DAV: status"`
			Prop   struct {
				Type struct {
					Collection *struct{} `xml:"DAV: collection"`
				} `xml:"DAV: resourcetype"`
				Locks []activeLock `xml:"DAV: lockdiscovery>activelock"`
				Dead  []deadProp   `xml:",any"`
			} `xml:"DAV: prop"`
		} `xml:"DAV: propstat"`
	} `xml:"DAV: response"`
}

type activeLock struct {
	Depth string `xml:"DAV: depth"`
	Owner string `xml:"DAV: owner"`
	Token string `xml:"DAV: locktoken>href"`
	Root  string `xml:"DAV: lockroot>href"`
}

type deadProp struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// nameOf returns the path in a href, without the slash at the end.
func nameOf(href string) string {
	u, err := url.Parse(href)
	if err != nil {
		return href
	}
	if u.Path == "/" {
		return u.Path
	}
	return strings.TrimSuffix(u.Path, "/")
}

func listingBody() string {
	return `<D:propfind xmlns:D="DAV:" xmlns:K="` + propSpace + `"><D:prop><D:resourcetype/><D:lockdiscovery/>` +
		"<K:" + strings.Join(propNames, "/><K:") + "/></D:prop></D:propfind>"
}

// look reads everything that a client can see at root and below it.
func (w *wire) look(ctx context.Context, root string) (view, error) {
	v := newView()
	a, err := w.send(ctx, "PROPFIND", root, map[string]string{"Depth": "infinity"}, strings.NewReader(listingBody()))
	switch {
	case err != nil:
		return v, err
	case a.status != http.StatusMultiStatus:
		return v, fmt.Errorf("PROPFIND %s: status %d: %s", root, a.status, a.body)
	}
	var listing multistatus
	if err := xml.Unmarshal([]byte(a.body), &listing); err != nil {
		return v, fmt.Errorf("PROPFIND %s: %w", root, err)
	}
	for _, response := range listing.Responses {
		name, r := nameOf(response.Href), resource{props: map[string]string{}}
		for _, propstat := range response.Props {
			if !strings.Contains(propstat.Status, " 200 ") {
				continue
			}
			r.collection = r.collection || propstat.Prop.Type.Collection != nil
			for _, dead := range propstat.Prop.Dead {
				if slices.Contains(propNames, dead.XMLName.Local) {
					r.props[dead.XMLName.Local] = dead.Value
				}
			}
			for _, l := range propstat.Prop.Locks {
				v.locks[l.Owner] = held{token: l.Token, root: nameOf(l.Root), deep: l.Depth == "infinity"}
			}
		}
		if !r.collection {
			a, err := w.send(ctx, http.MethodGet, name, nil, nil)
			if err != nil || a.status != http.StatusOK {
				return v, fmt.Errorf("GET %s, which a listing shows: status %d, %w", name, a.status, err)
			}
			r.content = a.body
		}
		if _, twice := v.resources[name]; twice {
			return v, fmt.Errorf("PROPFIND %s: %s is listed twice", root, name)
		}
		v.resources[name] = r
	}
	return v, nil
}
