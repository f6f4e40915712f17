package cluster

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The user of the clients. The hash is that of the password.
const (
	userName = "ann"
	password = "secret"
	htpasswd = userName + ":{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
)

// longestRequest is how long a client waits for an answer.
const longestRequest = 10 * time.Second

// An answer is a complete response. Its status is 0 if the result of the request is unknown,
// because there was no complete response, or one of 5xx.
type answer struct {
	status int
	header http.Header
	body   string
	// busy says that another request was changing the resource, so that nothing was done. The
	// status is 0 then too.
	busy bool
}

// changing is in the body of a 423 that no lock has caused.
const changing = "is changing this resource"

// A wire sends requests to a davd or through HAProxy.
type wire struct {
	url    string
	client *http.Client
}

func newWire(url string) *wire {
	return &wire{url: url, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (w *wire) close() { w.client.CloseIdleConnections() }

// send sends a request and waits for its answer, for as long as limit.
func (w *wire) send(ctx context.Context, limit time.Duration, method, name string, header map[string]string, body string) answer {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var reader io.Reader = http.NoBody
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+name, reader)
	if err != nil {
		panic(err)
	}
	request.SetBasicAuth(userName, password)
	for key, value := range header {
		request.Header.Set(key, value)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return answer{}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusInternalServerError {
		return answer{body: string(content)}
	}
	if response.StatusCode == http.StatusLocked && strings.Contains(string(content), changing) {
		return answer{body: string(content), busy: true}
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(content)}
}

// multistatus is the part of a 207 that the tests need.
type multistatus struct {
	Responses []response `xml:"DAV: response"`
}

// response is the part of a 207 about one member.
type response struct {
	Href string `xml:"DAV: href"`
	// Status is that of a member that could not be listed.
	Status string `xml:"DAV: status"`
	Props  []struct {
		Status string `xml:"DAV: status"`
		Prop   struct {
			Value string `xml:"urn:davd:test value"`
			Locks []struct {
				Owner string `xml:"DAV: owner"`
				Token string `xml:"DAV: locktoken>href"`
			} `xml:"DAV: lockdiscovery>activelock"`
		} `xml:"DAV: prop"`
	} `xml:"DAV: propstat"`
}

// partial reports whether a listing lacks the members of a collection, because the database could not
// be reached at that moment.
func partial(a answer) bool {
	return slices.ContainsFunc(parseMultistatus(a.body).Responses, func(r response) bool { return strings.Contains(r.Status, " 503 ") })
}

func parseMultistatus(body string) (m multistatus) {
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		return multistatus{}
	}
	return m
}

// Bodies of requests.
const (
	askValue  = `<D:propfind xmlns:D="DAV:"><D:prop><value xmlns="urn:davd:test"/></D:prop></D:propfind>`
	askHolder = `<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>`
	askNames  = `<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/></D:prop></D:propfind>`
)

func valueBody(value string) string {
	return `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><value xmlns="urn:davd:test">` + value + `</value></D:prop></D:set></D:propertyupdate>`
}

func lockBody(owner string, shared bool) string {
	scope := "exclusive"
	if shared {
		scope = "shared"
	}
	return `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:` + scope + `/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>` + owner + `</D:owner></D:lockinfo>`
}

// lockToken returns the token in the header Lock-Token.
func lockToken(a answer) string { return strings.Trim(a.header.Get("Lock-Token"), "<>") }
