//go:build unix

package dav_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/tree"
)

// world describes a share and its state: contents ("/" for a collection), dead
// properties and lock tokens, by name.
type world struct{ files, props, locks map[string]string }

func newWorld() world {
	return world{map[string]string{}, map[string]string{}, map[string]string{}}
}

func (w world) clone() world {
	return world{maps.Clone(w.files), maps.Clone(w.props), maps.Clone(w.locks)}
}

// differs describes a difference between w and want. It returns "" without one.
func (w world) differs(want world) string {
	var told []string
	wanted := []map[string]string{want.files, want.props, want.locks}
	for i, found := range []map[string]string{w.files, w.props, w.locks} {
		kind := []string{"content", "properties", "lock"}[i]
		names := maps.Clone(found)
		maps.Copy(names, wanted[i])
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if found[name] != wanted[i][name] {
				told = append(told, fmt.Sprintf("%s: %s %.60q, want %.60q", name, kind, found[name], wanted[i][name]))
			}
		}
	}
	return strings.Join(told, "; ")
}

func within(root string) func(string, string) bool {
	return func(name, _ string) bool { return name == root || strings.HasPrefix(name, root+"/") }
}

// remove removes the tree name and its locks.
func (w world) remove(name string) {
	for _, m := range []map[string]string{w.files, w.props, w.locks} {
		maps.DeleteFunc(m, within(name))
	}
}

// transfer applies a COPY or MOVE.
func (w world) transfer(src, dst string, move bool) {
	kept, locked := w.locks[dst]
	was := w.clone()
	w.remove(dst)
	wasThere := []map[string]string{was.files, was.props}
	for i, m := range []map[string]string{w.files, w.props} {
		for name, what := range wasThere[i] {
			if within(src)(name, "") {
				m[dst+strings.TrimPrefix(name, src)] = what
			}
		}
	}
	if locked {
		w.locks[dst] = kept // it continues (RFC 4918 §7.6)
	}
	if move {
		w.remove(src)
	}
}

// keptSite is a server whose state is in a directory of its own.
type keptSite struct {
	t            *testing.T
	share, state string
	// tenant is the tenant with the tree; "": there are no tenants.
	tenant string
	// wrap, if not nil, returns the database that the Handler uses instead.
	wrap func(db *sqlstate.DB) keptState
	// log, if not nil, is the OperationLogger.
	log func(operation.Operation, error)

	fsys    *local.FS
	db      *sqlstate.DB
	handler *dav.Handler
	server  *httptest.Server
}

type keptState interface {
	lock.Store
	deadprops.Store
	tree.Journal
}

// open starts the server, as after a restart.
func (s *keptSite) open() {
	s.t.Helper()
	var err error
	s.fsys, err = local.Open(s.share)
	must(s.t, err)
	s.db, err = sqlstate.Open(context.Background(), filepath.Join(s.state, "state.db"))
	must(s.t, err)
	kept := keptState(s.db)
	if s.wrap != nil {
		kept = s.wrap(s.db)
	}
	locks, err := lock.New(context.Background(), lock.Options{Store: kept})
	must(s.t, err)
	s.handler = &dav.Handler{
		FileSystem: s.fsys, State: &parts{State: s.db, locks: locks, properties: kept, journal: kept, history: history.NewMem()}, OperationLogger: s.log,
	}
	if s.tenant != "" {
		s.handler.Tenant = func(*http.Request) string { return s.tenant }
	}
	recovered, err := s.handler.Recover(context.Background())
	must(s.t, err)
	for _, r := range recovered {
		if r.Err != nil {
			s.t.Errorf("Recover: %v is %s: %v", r.Entry, r.Result, r.Err)
		}
	}
	s.server = httptest.NewServer(s.handler)
}

func (s *keptSite) close() {
	s.t.Helper()
	s.server.Close()
	must(s.t, s.handler.Shutdown(context.Background()))
	must(s.t, errors.Join(s.db.Close(), s.fsys.Close()))
}

// send sends one request and returns the status and the body.
func (s *keptSite) send(method, name, body string, header map[string]string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.server.URL+name, strings.NewReader(body))
	must(s.t, err)
	for field, value := range header {
		r.Header.Set(field, value)
	}
	response, err := s.server.Client().Do(r)
	must(s.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	must(s.t, err)
	return response, string(content)
}

// look returns the current world: contents from the disk, properties and locks as the
// server reports them.
func (s *keptSite) look() world {
	s.t.Helper()
	w := newWorld()
	must(s.t, filepath.WalkDir(s.share, func(file string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(file, s.share)
		switch {
		case err != nil || name == "":
			return err
		case entry.IsDir():
			w.files[name] = "/"
			return nil
		}
		content, err := os.ReadFile(file)
		w.files[name] = string(content)
		return err
	}))
	response, body := s.send("PROPFIND", "/", `<propfind xmlns="DAV:"><allprop/><include><lockdiscovery/></include></propfind>`,
		map[string]string{"Depth": "infinity", "Content-Type": "application/xml"})
	if response.StatusCode != http.StatusMultiStatus {
		s.t.Fatalf("PROPFIND: %s %s", response.Status, body)
	}
	var listing struct {
		Responses []struct {
			Href  string `xml:"href"`
			Props []struct {
				Any []struct {
					XMLName xml.Name
					Text    string `xml:",chardata"`
				} `xml:",any"`
				Locks []struct {
					Token string `xml:"locktoken>href"`
					Root  string `xml:"lockroot>href"`
				} `xml:"lockdiscovery>activelock"`
			} `xml:"propstat>prop"`
		} `xml:"response"`
	}
	must(s.t, xml.Unmarshal([]byte(body), &listing))
	for _, each := range listing.Responses {
		name := strings.TrimSuffix(each.Href, "/")
		for _, props := range each.Props {
			for _, prop := range props.Any {
				if prop.XMLName.Space == "urn:x" {
					w.props[name] += prop.XMLName.Local + "=" + prop.Text + ";"
				}
			}
			for _, l := range props.Locks {
				if strings.TrimSuffix(l.Root, "/") == name {
					w.locks[name] = l.Token
				}
			}
		}
	}
	return w
}

// check compares the current world with the model.
func (s *keptSite) check(when string, want world) bool {
	s.t.Helper()
	if d := s.look().differs(want); d != "" {
		s.t.Errorf("%s: %s", when, d)
		return false
	}
	return true
}

// keptRequest is a request that changes something.
type keptRequest struct {
	method, src, dst string
	content          string // of a PUT, or the value of each property
}

func (r keptRequest) String() string { return strings.TrimSpace(r.method + " " + r.src + " " + r.dst) }

// conditions returns the header If with the tokens of all locks that protect what r
// changes.
func (r keptRequest) conditions(w world, host string) string {
	var b strings.Builder
	for _, root := range []string{r.src, r.dst} {
		for _, name := range slices.Sorted(maps.Keys(w.locks)) {
			if root != "" && within(root)(name, "") && r.method != "UNLOCK" {
				fmt.Fprintf(&b, " <%s%s> (<%s>)", host, name, w.locks[name])
			}
		}
	}
	return strings.TrimSpace(b.String())
}

// manyProps is how many properties a PROPPATCH sets.
const manyProps = 20

// perform sends r and returns the status and the world that must result: a new one if
// the answer is a success, and the old one otherwise.
func (s *keptSite) perform(r keptRequest, was world) (status int, want world) {
	s.t.Helper()
	header, body, method := map[string]string{}, "", r.method
	if conditions := r.conditions(was, s.server.URL); conditions != "" {
		header["If"] = conditions
	}
	switch r.method {
	case "COPY", "MOVE":
		header["Destination"] = s.server.URL + r.dst
	case "PUT":
		body = r.content
	case "PROPPATCH":
		body = `<propertyupdate xmlns="DAV:" xmlns:x="urn:x"><set><prop>` + r.props("<x:%s>%s</x:%[1]s>") + `</prop></set></propertyupdate>`
	case "LOCK":
		body = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`
		header["Depth"], header["Timeout"] = "0", "Second-3600"
	case "REFRESH":
		method, header["Timeout"] = "LOCK", "Second-1800"
	case "UNLOCK":
		header["Lock-Token"] = "<" + was.locks[r.src] + ">"
	}
	response, answer := s.send(method, r.src, body, header)
	want = was.clone()
	if status = response.StatusCode; status/100 != 2 || status == http.StatusMultiStatus && r.method != "PROPPATCH" {
		return status, want
	}
	if status == http.StatusMultiStatus && !strings.Contains(answer, "200 OK") {
		return status, want
	}
	r.apply(want, strings.Trim(response.Header.Get("Lock-Token"), "<>"))
	return status, want
}

func (r keptRequest) props(format string) string {
	var b strings.Builder
	for i := range manyProps {
		fmt.Fprintf(&b, format, fmt.Sprintf("p%02d", i), r.content)
	}
	return b.String()
}

// apply applies a successful r to w.
func (r keptRequest) apply(w world, token string) {
	switch r.method {
	case "COPY", "MOVE":
		w.transfer(r.src, r.dst, r.method == "MOVE")
	case "DELETE":
		w.remove(r.src)
	case "PUT":
		w.files[r.src] = r.content
	case "MKCOL":
		w.files[r.src] = "/"
	case "PROPPATCH":
		w.props[r.src] = r.props("%s=%s;")
	case "LOCK":
		w.locks[r.src] = token
		if _, there := w.files[r.src]; !there {
			w.files[r.src] = ""
		}
	case "UNLOCK":
		delete(w.locks, r.src)
	}
}

// furnish creates a file and a collection at each of two names, with properties and
// locks if full is true.
func (s *keptSite) furnish(full bool) world {
	s.t.Helper()
	w := newWorld()
	requests := []keptRequest{
		{method: "PUT", src: "/a", content: "a"}, {method: "PUT", src: "/b", content: "b"},
	}
	for _, name := range []string{"/c", "/d"} {
		requests = append(requests, keptRequest{method: "MKCOL", src: name}, keptRequest{method: "PUT", src: name + "/f", content: name})
	}
	if full {
		for _, name := range []string{"/a", "/b", "/c", "/d", "/c/f", "/d/f"} {
			requests = append(requests, keptRequest{method: "PROPPATCH", src: name, content: strings.Repeat("of "+name, 10)})
		}
		for _, name := range []string{"/a", "/b", "/d", "/c/f", "/d/f"} {
			requests = append(requests, keptRequest{method: "LOCK", src: name})
		}
	}
	for _, r := range requests {
		var status int
		if status, w = s.perform(r, w); status/100 != 2 {
			s.t.Fatalf("%v: %d", r, status)
		}
	}
	return w
}

// fullRequests has one request of each kind.
func fullRequests(furnished bool) []keptRequest {
	value := strings.Repeat("new", 20)
	requests := []keptRequest{
		{method: "COPY", src: "/a", dst: "/n"},
		{method: "COPY", src: "/a", dst: "/b"},
		{method: "COPY", src: "/c", dst: "/n"},
		{method: "COPY", src: "/c", dst: "/d"},
		{method: "MOVE", src: "/a", dst: "/n"},
		{method: "MOVE", src: "/a", dst: "/b"},
		{method: "MOVE", src: "/c", dst: "/n"},
		{method: "MOVE", src: "/c", dst: "/d"},
		{method: "MOVE", src: "/c", dst: "/a"},
		{method: "DELETE", src: "/a"},
		{method: "DELETE", src: "/d"},
		{method: "PUT", src: "/a", content: "new"},
		{method: "PUT", src: "/n", content: "new"},
		{method: "MKCOL", src: "/n"},
		{method: "PROPPATCH", src: "/a", content: value},
		{method: "PROPPATCH", src: "/d", content: strings.Repeat(value, 20)},
		{method: "LOCK", src: "/n"},
	}
	if furnished {
		return append(requests, keptRequest{method: "UNLOCK", src: "/a"}, keptRequest{method: "REFRESH", src: "/a"})
	}
	return append(requests, keptRequest{method: "LOCK", src: "/a"})
}
