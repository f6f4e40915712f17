package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tokens"
)

var rightsPage = flag.Bool("rights.page", false, "write docs/rights-table.md")

// rightsFile is the configuration of the table of rights. Each line of a share is shown there.
const rightsFile = `
trusted-proxy: 127.0.0.1
user-header: {name: X-User, groups-header: X-Groups}
users:
  ann: {password: HASH(ann), groups: [family]}
  bob: {password: HASH(bob), groups: [family]}
  eve: {password: HASH(eve)}
  cem: {password: HASH(cem), home: "/home/{user}"}
shares:
  "/home/{user}": {dir: "DIR/home/{user}", create: true}
  /shared:
    dir: DIR/shared
    rights: {users: read, family: write}
    paths:
      /private: {users: none, ann: write}
      /private/open: {users: read}
  /public: {dir: DIR/public, rights: {anyone: read, ann: add}}
  /box: {dir: DIR/box, rights: {anyone: write}}
  /ro: {dir: DIR/ro, read-only: true, rights: {users: write}}
  /office/one: {dir: DIR/office, rights: {users: read}}
  /only:
    dir: DIR/only
    rights: {users: none}
    paths:
      /list: {users: [list]}
      /read: {users: [read, list]}
      /bare: {users: [create, write, delete, lock]}
      /create: {users: [create]}
      /write: {users: [write]}
      /delete: {users: [list, read, delete]}
      /lock: {users: [lock]}
`

// principals are the columns of the table.
var principals = []string{"ann", "bob", "dora", "eve", "cem", "nobody", "reader"}

// granted are the rights of a principal, one letter for each: list, read, create, write, delete and k
// for lock. "!" stands for a resource that is only visible.
type granted struct {
	// own are the rights at the collection, members those at its members, and tree those
	// everywhere below it.
	own, members, tree string
}

func same(letters string) granted { return granted{letters, letters, letters} }
func (g granted) at(t cell) string {
	return map[bool]string{true: g.own, false: g.members}[t.target == ""]
}

func (g granted) readOnly() granted {
	keep := func(letters string) string {
		if kept := strings.Map(func(r rune) rune {
			if strings.ContainsRune("lr", r) {
				return r
			}
			return -1
		}, letters); kept != "" || letters == "" {
			return kept
		}
		return "!"
	}
	return granted{keep(g.own), keep(g.members), keep(g.tree)}
}

const all = "lrcwdk"

// place is a collection that contains the file f and the collection sub, unless it is above the
// shares.
type place struct {
	name, rule string
	// stays says that the collection is the root of a share, or above shares.
	stays  bool
	ann    granted
	bob    granted // and dora, who has the same groups from the proxy
	eve    granted // and cem
	nobody granted
}

var way = granted{"l", "", ""}

var places = []place{
	{name: "/", rule: "above the shares", stays: true, ann: way, bob: way, eve: way},
	{name: "/office", rule: "above a share", stays: true, ann: way, bob: way, eve: way},
	{name: "/home/ann", rule: "home of ann", stays: true, ann: same(all)},
	{name: "/home/bob", rule: "home of bob", stays: true, bob: same(all)},
	{name: "/shared", rule: "users: read, family: write", stays: true, ann: granted{all, all, "lr"}, bob: granted{all, all, ""}, eve: granted{"lr", "lr", ""}},
	{name: "/shared/private", rule: "users: none, ann: write", ann: granted{all, all, "lr"}, bob: way, eve: way},
	{name: "/shared/private/open", rule: "users: read", ann: same("lr"), bob: same("lr"), eve: same("lr")},
	{name: "/public", rule: "anyone: read, ann: add", stays: true, ann: same("lrc"), bob: same("lr"), eve: same("lr"), nobody: same("lr")},
	{name: "/box", rule: "anyone: write", stays: true, ann: same(all), bob: same(all), eve: same(all), nobody: same(all)},
	{name: "/ro", rule: "users: write, read-only", stays: true, ann: same("lr"), bob: same("lr"), eve: same("lr")},
	single("/only/list", "l"), single("/only/read", "lr"), single("/only/bare", "cwdk"),
	single("/only/create", "c"), single("/only/write", "w"), single("/only/delete", "lrd"), single("/only/lock", "k"),
}

func single(name, letters string) place {
	g := same(letters)
	return place{name: name, rule: "users: " + letters, ann: g, bob: g, eve: g}
}

// of returns the rights of a principal. known is false if the principal has no path for the place.
func (p place) of(who string) (g granted, known bool) {
	switch who {
	case "ann":
		return p.ann, true
	case "reader":
		return p.ann.readOnly(), true
	case "bob":
		return p.bob, true
	case "dora": // in the groups of bob, but another user
		return p.bob, !strings.HasPrefix(p.name, "/home/")
	case "cem": // sees a home at /
		return p.eve, !strings.HasPrefix(p.name, "/home/") && p.name != "/"
	case "eve":
		return p.eve, true
	}
	return p.nobody, true
}

// cell is a kind of request.
type cell struct {
	name, method string
	// target is a member, or "" for the collection itself.
	target string
	// need are the rights that it needs. tree: it needs them everywhere below, too.
	need string
	tree bool
	// stays says that it would remove, move or replace the target.
	stays  bool
	body   string
	fields []string
	// to says that the target is the destination; the source is /box/src.
	to     bool
	status int
}

const (
	lockXML  = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`
	patchXML = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="y">z</x></D:prop></D:set></D:propertyupdate>`
	toBox    = "Destination: URL/box/new"
	noToken  = "opaquelocktoken:00000000-0000-0000-0000-000000000000"
)

var cells = []cell{
	{name: "OPTIONS", method: "OPTIONS", target: "f", status: 200},
	{name: "GET", method: "GET", target: "f", need: "r", status: 200},
	{name: "GET of the collection", method: "GET", need: "l", status: 200},
	{name: "HEAD", method: "HEAD", target: "f", need: "r", status: 200},
	{name: "GET with a false condition", method: "GET", target: "f", need: "r", fields: []string{`If-Match: "x"`}, status: 412},
	{name: "POST", method: "POST", target: "f", status: 405},
	{name: "PROPFIND, Depth 0", method: "PROPFIND", target: "f", fields: []string{"Depth: 0"}, status: 207},
	{name: "PROPFIND of the collection, Depth 0", method: "PROPFIND", fields: []string{"Depth: 0"}, status: 207},
	{name: "PROPFIND, Depth 1", method: "PROPFIND", need: "l", fields: []string{"Depth: 1"}, status: 207},
	{name: "PROPFIND, Depth infinity", method: "PROPFIND", need: "l", fields: []string{"Depth: infinity"}, status: 207},
	{name: "PROPPATCH", method: "PROPPATCH", target: "f", need: "w", body: patchXML, status: 207},
	{name: "PUT", method: "PUT", target: "new", need: "c", body: "x", status: 201},
	{name: "PUT over a file", method: "PUT", target: "f", need: "w", body: "x", status: 204},
	{name: "PATCH", method: "PATCH", target: "f", need: "w", body: "x", fields: []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: bytes=0-0"}, status: 204},
	{name: "MKCOL", method: "MKCOL", target: "new/", need: "c", status: 201},
	{name: "DELETE", method: "DELETE", target: "f", need: "d", status: 204},
	{name: "DELETE of a collection", method: "DELETE", target: "sub/", need: "ld", status: 204},
	{name: "DELETE of the collection", method: "DELETE", need: "ld", tree: true, stays: true, status: 204},
	{name: "COPY from", method: "COPY", target: "f", need: "r", fields: []string{toBox}, status: 201},
	{name: "COPY of a collection from", method: "COPY", target: "sub/", need: "lr", fields: []string{toBox}, status: 201},
	{name: "COPY of a collection, Depth 0", method: "COPY", target: "sub/", need: "r", fields: []string{toBox, "Depth: 0"}, status: 201},
	{name: "COPY to", method: "COPY", target: "new", need: "c", to: true, status: 201},
	{name: "COPY over", method: "COPY", target: "f", need: "cd", to: true, status: 204},
	{name: "COPY over, Overwrite F", method: "COPY", target: "f", need: "c", to: true, fields: []string{"Overwrite: F"}, status: 412},
	{name: "COPY over the collection", method: "COPY", need: "cd", tree: true, stays: true, to: true, status: 204},
	{name: "MOVE from", method: "MOVE", target: "f", need: "lrd", fields: []string{toBox}, status: 201},
	{name: "MOVE of a collection from", method: "MOVE", target: "sub/", need: "lrd", fields: []string{toBox}, status: 201},
	{name: "MOVE of the collection", method: "MOVE", need: "lrd", tree: true, stays: true, fields: []string{toBox}, status: 201},
	{name: "MOVE to", method: "MOVE", target: "new", need: "c", to: true, status: 201},
	{name: "MOVE over", method: "MOVE", target: "f", need: "cd", to: true, status: 204},
	{name: "MOVE over, Overwrite F", method: "MOVE", target: "f", need: "c", to: true, fields: []string{"Overwrite: F"}, status: 412},
	{name: "LOCK", method: "LOCK", target: "f", need: "k", body: lockXML, status: 200},
	{name: "LOCK of the collection, Depth 0", method: "LOCK", need: "k", body: lockXML, fields: []string{"Depth: 0"}, status: 200},
	{name: "LOCK of the collection, Depth infinity", method: "LOCK", need: "k", tree: true, body: lockXML, status: 200},
	{name: "LOCK of a new name", method: "LOCK", target: "new", need: "ck", body: lockXML, status: 201},
	{name: "refresh of an unknown lock", method: "LOCK", target: "f", need: "k", fields: []string{"If: (<" + noToken + ">)"}, status: 412},
	{name: "UNLOCK of an unknown lock", method: "UNLOCK", target: "f", need: "k", fields: []string{"Lock-Token: <" + noToken + ">"}, status: 409},
}

func hasAll(letters, need string) bool {
	for _, letter := range need {
		if !strings.ContainsRune(letters, letter) {
			return false
		}
	}
	return true
}

// expected returns the status that a request must get, by docs/rights.md.
func expected(p place, who string, c cell) int {
	g, _ := p.of(who)
	at := g.at(c)
	switch writes := c.method != "OPTIONS" && c.method != "GET" && c.method != "HEAD" && c.method != "PROPFIND"; {
	case who == "nobody" && p.name == "/":
		return http.StatusUnauthorized
	case c.method == "OPTIONS" && who != "nobody":
		return c.status
	case who == "reader" && writes:
		return http.StatusForbidden
	case at == "" && who == "nobody":
		return http.StatusUnauthorized
	case at == "" && !c.to && (g.own == "" || c.method != "PUT" && c.method != "MKCOL"):
		return http.StatusNotFound
	case hasAll(at, c.need) && (!c.tree || hasAll(g.tree, c.need)) && (!c.stays || !p.stays):
		return c.status
	case who == "nobody" && !hasAll(at, c.need):
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// table is a davd with rightsFile.
type table struct {
	*running
	layout map[string]string
	token  string // the read-only application password of ann
}

func serveTable(t *testing.T) *table {
	t.Helper()
	dir := t.TempDir()
	x := &table{layout: map[string]string{"/box/src": "src"}}
	for _, p := range places {
		if p.name == "/" || p.name == "/office" {
			continue
		}
		for _, name := range []string{"f", "sub/deep/f"} {
			x.layout[path.Join(p.name, name)] = p.name
		}
	}
	for _, name := range []string{"home/cem", "office"} {
		must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	x.fill(t, dir)
	x.running = serveFile(t, dir, rightsFile)
	var err error
	x.token, _, err = x.state.Tokens.Add(t.Context(), tokens.Token{User: "ann", Name: "phone", ReadOnly: true})
	must(t, err)
	return x
}

// fill makes the files of the layout, and removes all others.
func (x *table) fill(t *testing.T, dir string) {
	t.Helper()
	for _, share := range []string{"home/ann", "home/bob", "home/cem", "shared", "public", "box", "ro", "office", "only"} {
		members, err := filepath.Glob(filepath.Join(dir, share, "*"))
		must(t, err)
		for _, member := range members {
			must(t, os.RemoveAll(member))
		}
	}
	for name, content := range x.layout {
		must(t, os.MkdirAll(filepath.Join(dir, path.Dir(name)), 0o755))
		if strings.HasSuffix(name, "/link") {
			must(t, os.Symlink(content, filepath.Join(dir, name)))
			continue
		}
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
}

// found returns the files below the directories of the shares, and the empty collections.
func (*table) found(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		in, _ := filepath.Rel(dir, name)
		in = "/" + filepath.ToSlash(in)
		switch {
		case err != nil:
			return err
		case in == "/state":
			return fs.SkipDir
		case strings.Count(in, "/") == 1, strings.HasPrefix(in, "/home/") && strings.Count(in, "/") == 2:
			return nil // a share
		case e.IsDir():
			found[in+"/"] = ""
			return nil
		}
		var content string
		if e.Type() == fs.ModeSymlink {
			content, err = os.Readlink(name)
		} else {
			var read []byte
			read, err = os.ReadFile(name)
			content = string(read)
		}
		found[in] = content
		delete(found, path.Dir(in)+"/")
		return err
	}))
	for name := range found {
		for dir := path.Dir(strings.TrimSuffix(name, "/")); dir != "/"; dir = path.Dir(dir) {
			delete(found, dir+"/")
		}
	}
	return found
}

// check sends the request of a cell, and compares the answer and the files.
func (x *table) check(t *testing.T, p place, who string, c cell) {
	t.Helper()
	target, fields := path.Join(p.name, c.target), slices.Clone(c.fields)
	if strings.HasSuffix(c.target, "/") {
		target += "/"
	}
	if c.to {
		target, fields = "/box/src", append(fields, "Destination: URL"+target)
	}
	answer := x.as(t, who, c.method, target, c.body, fields...)
	want := expected(p, who, c)
	if answer.StatusCode != want {
		t.Errorf("%s: %s at %s is %d, want %d", who, c.name, p.name, answer.StatusCode, want)
	}
	if strings.Contains(answer.text, x.dir) {
		t.Errorf("%s: %s at %s shows a path of the disk: %s", who, c.name, p.name, answer.text)
	}
	if token := answer.Header.Get("Lock-Token"); token != "" {
		x.as(t, who, "UNLOCK", target, "", "Lock-Token: "+token)
	}
	now := x.found(t, x.dir)
	if maps.Equal(now, x.layout) {
		return
	}
	if writes := answer.StatusCode < 300 && c.method != "PROPFIND"; !writes {
		t.Errorf("%s: %s at %s is %d, but has changed something: %v", who, c.name, p.name, answer.StatusCode, now)
	}
	x.fill(t, x.dir)
}

// answered is an answer with its body.
type answered struct {
	*http.Response
	text string
}

// as sends a request as a principal of the table.
func (x *table) as(t *testing.T, who, method, target, body string, fields ...string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, x.url+target, strings.NewReader(body))
	must(t, err)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Set(name, strings.ReplaceAll(value, "URL", x.url))
	}
	switch who {
	case "nobody":
	case "dora":
		request.Header.Set("X-User", "dora")
		request.Header.Set("X-Groups", "family")
	case "reader":
		request.SetBasicAuth("ann", x.token)
	default:
		request.SetBasicAuth(who, passwordOf(who))
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", who, method, target, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	must(t, err)
	return answered{response, string(content)}
}

// TestRightsTable sends each kind of request to each place as each principal.
func TestRightsTable(t *testing.T) {
	x := serveTable(t)
	type request struct {
		place
		who  string
		cell cell
	}
	var requests []request
	for _, p := range places {
		for _, who := range principals {
			for _, c := range cells {
				if _, known := p.of(who); known {
					requests = append(requests, request{p, who, c})
				}
			}
		}
	}
	chosen := sweep.Sample(t, requests, 400)
	for _, r := range chosen {
		x.check(t, r.place, r.who, r.cell)
	}
	t.Logf("%d of %d cells", len(chosen), len(requests))
}

// between returns the status of a COPY or MOVE of a file from one place to another.
func between(from, to place, who, method string) int {
	source, _ := from.of(who)
	destination, _ := to.of(who)
	need := map[string]string{"COPY": "r", "MOVE": "lrd"}[method]
	switch allowed := hasAll(source.members, need) && hasAll(destination.members, "c"); {
	case who == "reader":
		return http.StatusForbidden
	case allowed:
		return http.StatusCreated
	case who == "nobody":
		return http.StatusUnauthorized
	case source.members == "":
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

// ends are the places between which files are copied and moved.
func ends(who string) (found []place) {
	for _, p := range places {
		_, known := p.of(who)
		if known && p.name != "/" && p.name != "/office" && (!strings.HasPrefix(p.name, "/only/") || p.name == "/only/create" || p.name == "/only/delete") {
			found = append(found, p)
		}
	}
	return found
}

// TestRightsBetween copies and moves a file from each place to each other one, as each principal.
func TestRightsBetween(t *testing.T) {
	x := serveTable(t)
	type transfer struct {
		from, to    place
		who, method string
	}
	var transfers []transfer
	for _, who := range principals {
		for _, from := range ends(who) {
			for _, to := range ends(who) {
				transfers = append(transfers, transfer{from, to, who, "COPY"}, transfer{from, to, who, "MOVE"})
			}
		}
	}
	for _, each := range sweep.Sample(t, transfers, 200) {
		answer := x.as(t, each.who, each.method, each.from.name+"/f", "", "Destination: URL"+each.to.name+"/new")
		if want := between(each.from, each.to, each.who, each.method); answer.StatusCode != want {
			t.Errorf("%s: %s from %s to %s is %d, want %d", each.who, each.method, each.from.name, each.to.name, answer.StatusCode, want)
		}
		want := maps.Clone(x.layout)
		if answer.StatusCode < 300 {
			want[each.to.name+"/new"] = each.from.name
			if each.method == "MOVE" {
				delete(want, each.from.name+"/f")
			}
		}
		if now := x.found(t, x.dir); !maps.Equal(now, want) {
			t.Errorf("%s: %s from %s to %s is %d and leaves %v", each.who, each.method, each.from.name, each.to.name, answer.StatusCode, now)
		}
		if answer.StatusCode < 300 {
			x.fill(t, x.dir)
		}
	}
	t.Logf("of %d transfers", len(transfers))
}

// title is the name of a principal in docs/rights-table.md.
func title(who string) string {
	return map[string]string{
		"ann": "ann (family)", "bob": "bob (family)", "dora": "dora (family, by the proxy)", "cem": "cem (home at /)",
		"nobody": "not logged in", "reader": "ann, read-only password",
	}[who]
}

// columns are the principals with different cells in the page.
var columns = []string{"ann", "bob", "eve", "nobody", "reader"}

// rightsTable returns docs/rights-table.md.
func rightsTable() string {
	var page strings.Builder
	page.WriteString(`# The table of rights

[Rights](rights.md) has the rules. This page has the status of each kind of request for each place and client, as TestRightsTable and TestRightsBetween in cmd/davd/rightstable_test.go check them over real connections. The second one also shows what a COPY or MOVE between two places gets. The test writes this page with -rights.page.

bob stands for dora too, who is in the same group but comes from a proxy, except that she has no home here. eve stands for cem too, who sees a home at /. Each collection contains the file f and the collection sub. The letters are list, read, create, write, delete and k for lock.
`)
	row := func(cells []string) { fmt.Fprintf(&page, "| %s |\n", strings.Join(cells, " | ")) }
	head := func(first string, rest []string) {
		row(append([]string{first}, rest...))
		row(slices.Repeat([]string{"---"}, len(rest)+1))
	}
	var titles []string
	for _, who := range columns {
		titles = append(titles, cmp.Or(title(who), who))
	}
	for _, p := range places {
		fmt.Fprintf(&page, "\n## `%s`: %s\n\n", p.name, p.rule)
		head("request", titles)
		for _, c := range cells {
			line := []string{c.name}
			for _, who := range columns {
				line = append(line, strconv.Itoa(expected(p, who, c)))
			}
			row(line)
		}
	}
	for _, who := range columns[:len(columns)-1] {
		fmt.Fprintf(&page, "\n## COPY and MOVE of a file by %s\n\n", cmp.Or(title(who), who))
		var to []string
		for _, p := range ends(who) {
			to = append(to, "to `"+p.name+"`")
		}
		head("from", to)
		for _, from := range ends(who) {
			line := []string{"`" + from.name + "`"}
			for _, to := range ends(who) {
				line = append(line, fmt.Sprintf("%d, %d", between(from, to, who, "COPY"), between(from, to, who, "MOVE")))
			}
			row(line)
		}
	}
	return page.String()
}

// TestRightsPage: docs/rights-table.md shows what the other tests check.
func TestRightsPage(t *testing.T) {
	const file = "../../docs/rights-table.md"
	if *rightsPage {
		must(t, os.WriteFile(file, []byte(rightsTable()), 0o644))
	}
	content, err := os.ReadFile(file)
	must(t, err)
	if string(content) != rightsTable() {
		t.Error("docs/rights-table.md differs: run this test with -rights.page")
	}
}

// TestRightsListings: listings and copies of a tree contain what the principal may see and read.
func TestRightsListings(t *testing.T) {
	x := serveTable(t)
	for _, who := range principals {
		var want, copied []string
		for _, p := range places {
			g, known := p.of(who)
			if !known || !strings.HasPrefix(p.name, "/shared") {
				continue
			}
			if g.own != "" {
				want = append(want, p.name+"/")
			}
			if strings.Contains(g.members, "l") {
				want = append(want, p.name+"/f", p.name+"/sub/", p.name+"/sub/deep/", p.name+"/sub/deep/f")
			}
			if strings.Contains(g.members, "r") {
				copied = append(copied, strings.Replace(p.name, "/shared", "/box/new", 1)+"/f", strings.Replace(p.name, "/shared", "/box/new", 1)+"/sub/deep/f")
			}
		}
		list := x.as(t, who, "PROPFIND", "/shared/", "", "Depth: infinity").text
		var got []string
		for _, each := range strings.Split(list, "<D:href>")[1:] {
			href, _, _ := strings.Cut(each, "<")
			got = append(got, href)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", who, got, want)
		}
		index := x.as(t, who, "GET", "/shared/", "").text
		if sees := strings.Contains(index, "private"); sees != slices.Contains(want, "/shared/private/") {
			t.Errorf("%s: the index shows private: %t", who, sees)
		}
		if who == "reader" || who == "nobody" {
			continue
		}
		answer := x.as(t, who, "COPY", "/shared/", "", toBox)
		got = nil
		for name := range x.found(t, x.dir) {
			if strings.HasPrefix(name, "/box/new/") && !strings.HasSuffix(name, "/") {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		slices.Sort(copied)
		if answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusMultiStatus || !slices.Equal(got, copied) {
			t.Errorf("%s: the copy is %d with %v, want %v", who, answer.StatusCode, got, copied)
		}
		x.fill(t, x.dir)
	}
}

// TestRightsSpellings: no spelling of a name gives more rights than the name.
func TestRightsSpellings(t *testing.T) {
	x := serveTable(t)
	x.layout["/shared/sub/link"] = "../private"
	x.fill(t, x.dir)
	type request struct {
		place
		who, method string
	}
	var requests []request
	for _, p := range places[2:] {
		for _, who := range principals {
			for _, method := range []string{"GET", "PROPFIND", "PUT", "DELETE", "COPY", "LOCK"} {
				if _, known := p.of(who); known {
					requests = append(requests, request{p, who, method})
				}
			}
		}
	}
	for _, r := range sweep.Sample(t, requests, 60) {
		x.spellings(t, r.place, r.who, r.method)
	}
}

// spellings sends a request to each spelling of the file f in a place.
func (x *table) spellings(t *testing.T, p place, who, method string) {
	t.Helper()
	var body string
	if method == "LOCK" {
		body = lockXML
	}
	send := func(target string) int {
		answer := x.as(t, who, method, target, body, "Depth: 0", toBox)
		if token := answer.Header.Get("Lock-Token"); token != "" {
			x.as(t, who, "UNLOCK", target, "", "Lock-Token: "+token)
		}
		return answer.StatusCode
	}
	plain := send(p.name + "/f")
	if plain < 300 {
		x.fill(t, x.dir)
		return // TestRightsTable shows what it may do
	}
	name := p.name + "/f"
	for _, target := range []string{
		"/public/../" + name, "/public/%2e%2e" + name, "/" + name, strings.ReplaceAll(name, "/", "//"), strings.ReplaceAll(name, "/", "/./"),
		"/" + strings.ReplaceAll(name[1:], "/", "%2F"), "/" + strings.ReplaceAll(name[1:], "/", "%2f"), p.name + "/%66", p.name + "/sub/../f", "/box/../box/.." + name,
	} {
		if got := send(target); got != plain {
			t.Errorf("%s: %s %s is %d, but %d for %s", who, method, target, got, plain, name)
		}
	}
	for _, target := range []string{
		name + "/", name + "/.", strings.ToUpper(name), p.name + "/F", strings.ToUpper(p.name) + "/f", p.name + "./f", p.name + "%20/f", p.name + "::$DATA/f",
		name + "%00", name + "%5c", "/public" + strings.ReplaceAll(name, "/", "%5c"), "/.." + name, strings.Replace(name, "/private", "/sub/link", 1),
	} {
		if send(target) >= 400 {
			continue
		}
		// It may be a new name. Then the files are as they were, and the new one is empty.
		now := x.found(t, x.dir)
		for name, content := range x.layout {
			if now[name] != content {
				t.Errorf("%s: %s %s changes %s", who, method, target, name)
			}
			delete(now, name)
		}
		for made, content := range now {
			if content != "" {
				t.Errorf("%s: %s %s gives %s the content of %s", who, method, target, made, content)
			}
		}
		if method == "GET" {
			t.Errorf("%s: GET %s succeeds, but not of %s", who, target, name)
		}
		x.fill(t, x.dir)
	}
}

// TestRightsFolded: a rule counts for each name that means the same on the disk of the share.
func TestRightsFolded(t *testing.T) {
	dir := t.TempDir()
	folds := mountFolding(t, filepath.Join(dir, "disk"))
	must(t, os.MkdirAll(filepath.Join(dir, "disk/Schön/sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "disk/Schön/f"), []byte("secret"), 0o600))
	r := serveFile(t, dir, `
users:
  ann: {password: HASH(ann)}
  bob: {password: HASH(bob)}
shares:
  /disk: {dir: DIR/disk, rights: {users: write}, paths: {/Schön: {users: none, ann: write}}}
`)
	for _, name := range []string{"Sch%C3%B6n", "Scho%CC%88n", "sch%C3%B6n", "SCHO%CC%88N", "SCH%C3%96N", "Sch%C3%B6n.", "schÖn%20"} {
		for _, method := range []string{"GET", "PROPFIND", "DELETE", "PUT", "LOCK", "PATCH", "MKCOL", "COPY", "MOVE"} {
			for _, target := range []string{"/f", "", "/new", "/sub/"} {
				status, content := r.do("bob", method, "/disk/"+name+target, "", "Destination: URL/disk/new")
				if status != http.StatusNotFound && status != http.StatusForbidden || strings.Contains(content, "secret") {
					t.Errorf("%s %s%s by bob is %d", method, name, target, status)
				}
			}
		}
		r.wants(http.StatusForbidden, "bob", "COPY", "/disk/", "Destination: URL/disk/"+name)
	}
	r.wants(http.StatusForbidden, "bob", "DELETE", "/disk/")
	if list := r.wants(http.StatusMultiStatus, "bob", "PROPFIND", "/", "Depth: infinity"); strings.Contains(list, "Sch") {
		t.Errorf("bob sees %s", list)
	}
	if folds {
		r.wants(http.StatusOK, "ann", "GET", "/disk/sch%C3%B6n/f")
	}
	r.wants(http.StatusOK, "ann", "GET", "/disk/Sch%C3%B6n/f")
	r.wants(http.StatusOK, "ann", "GET", "/disk/Scho%CC%88n/f")
	if r.file("disk/Schön/f") != "secret" {
		t.Error("the file has changed")
	}
}

// TestRightsFoldedUsers: two users whose names differ in case never share a home.
func TestRightsFoldedUsers(t *testing.T) {
	dir := t.TempDir()
	folds := mountFolding(t, filepath.Join(dir, "home"))
	r := serveFile(t, dir, `
users:
  ann: {password: HASH(ann)}
  ANN: {password: HASH(ANN)}
  "7": {password: HASH(7)}
shares:
  "/home/{user}": {dir: "DIR/home/{user}", create: true}
`)
	r.wants(http.StatusCreated, "ann", "PUT", "/home/ann/f")
	r.wants(http.StatusCreated, "7", "PUT", "/home/7/f")
	r.wants(http.StatusNotFound, "ANN", "GET", "/home/ANN/f")
	r.wants(http.StatusNotFound, "ANN", "GET", "/home/ann/f")
	r.wants(http.StatusOK, "ann", "GET", "/home/ann/f")
	status, _ := r.do("ANN", "PUT", "/home/ANN/f", "other")
	if status == http.StatusCreated == folds || r.file("home/ann/f") != "" {
		t.Errorf("PUT is %d on a disk that folds: %t", status, folds)
	}
}

// TestRightsOfOthers: locks, conditions and status documents of others give nothing away.
func TestRightsOfOthers(t *testing.T) {
	x := serveTable(t)
	lock := func(target string) string {
		t.Helper()
		return strings.Trim(x.as(t, "ann", "LOCK", target, lockXML).Header.Get("Lock-Token"), "<>")
	}
	shown, hidden := lock("/shared/f"), lock("/shared/private/f")
	const wanted = `<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>`
	for _, who := range principals[1:] {
		list := x.as(t, who, "PROPFIND", "/shared/", wanted, "Depth: infinity").text
		if who != "reader" && (strings.Contains(list, shown) || strings.Contains(list, hidden)) {
			t.Errorf("%s sees a token: %s", who, list)
		}
	}
	tag := x.as(t, "ann", "HEAD", "/shared/private/f", "").Header.Get("ETag")
	for _, tt := range []struct {
		who, method, target string
		status              int
		fields              []string
	}{
		{"bob", "UNLOCK", "/shared/f", 403, []string{"Lock-Token: <" + shown + ">"}},
		{"eve", "UNLOCK", "/shared/f", 403, []string{"Lock-Token: <" + shown + ">"}},
		{"nobody", "UNLOCK", "/shared/f", 401, []string{"Lock-Token: <" + shown + ">"}},
		{"bob", "UNLOCK", "/shared/private/f", 404, []string{"Lock-Token: <" + hidden + ">"}},
		{"bob", "LOCK", "/shared/private/f", 404, []string{"If: (<" + hidden + ">)"}},
		{"bob", "PUT", "/shared/f", 403, []string{"If: (<" + shown + ">)"}},
		{"bob", "DELETE", "/shared/f", 423, nil},
		{"ann", "PUT", "/shared/f", 204, []string{"If: (<" + shown + ">)"}},
		{"reader", "PUT", "/shared/f", 403, []string{"If: (<" + shown + ">)"}},
		{"reader", "UNLOCK", "/shared/f", 403, []string{"Lock-Token: <" + shown + ">"}},
		// A condition about a hidden resource is as false as one about a missing resource.
		{"bob", "GET", "/shared/f", 412, []string{"If: <URL/shared/private/f> (<" + hidden + ">)"}},
		{"bob", "GET", "/shared/f", 200, []string{"If: <URL/shared/private/f> (Not <" + hidden + ">)"}},
		{"bob", "GET", "/shared/f", 412, []string{"If: <URL/shared/private/f> ([" + tag + "])"}},
		{"bob", "GET", "/shared/f", 412, []string{"If: <URL/shared/private/none> ([" + tag + "])"}},
		{"ann", "GET", "/shared/f", 200, []string{"If: <URL/shared/private/f> ([" + tag + "] <" + hidden + ">)"}},
		{"bob", "GET", "/shared/private/f", 404, []string{"If-None-Match: " + tag}},
		{"bob", "GET", "/shared/private/f", 404, []string{`If-Match: "x"`}},
	} {
		if got := x.as(t, tt.who, tt.method, tt.target, "", tt.fields...).StatusCode; got != tt.status {
			t.Errorf("%s: %s %s %q is %d, want %d", tt.who, tt.method, tt.target, tt.fields, got, tt.status)
		}
	}
	// A client without a name has only the secret address of its document.
	stranger := x.as(t, "nobody", "COPY", "/box/sub/", "", "Destination: URL/box/copied", "Prefer: respond-async, wait=0").Header.Get("Location")
	if got := x.as(t, "nobody", "GET", stranger, "").StatusCode; got != http.StatusOK {
		t.Errorf("the document of an operation in a public share is %d", got)
	}
	if got := x.as(t, "nobody", "GET", path.Dir(stranger), "").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("the list of operations is %d without a name", got)
	}
	if got := x.as(t, "nobody", "GET", path.Dir(stranger)+"/none", "").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("the document of an unknown operation is %d without a name", got)
	}
	document := x.as(t, "ann", "COPY", "/home/ann/sub/", "", "Destination: URL/home/ann/new", "Prefer: respond-async, wait=0").Header.Get("Location")
	if document == "" {
		t.Fatal("no status document")
	}
	for _, who := range principals {
		status := map[string]int{"ann": 200, "reader": 200, "nobody": 401}[who]
		for _, method := range []string{"GET", "DELETE", "POST"} {
			want := cmp.Or(status, 404)
			if method != "GET" && who == "reader" {
				want = 403
			}
			if method != "GET" && who == "ann" {
				continue
			}
			if got := x.as(t, who, method, document, "").StatusCode; got != want {
				t.Errorf("%s: %s of the status document of ann is %d, want %d", who, method, got, want)
			}
		}
		if list := x.as(t, who, "GET", path.Dir(document), "").text; strings.Contains(list, "/home/ann") != (status == 200) {
			t.Errorf("%s: the list of operations is %s", who, list)
		}
	}
}
