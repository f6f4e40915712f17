package kill

import (
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// An operation is one request, with what the model expects of it.
type operation struct {
	method   string
	src, dst string
	header   map[string]string
	body     string
	chunked  bool // the body is sent without a length

	areas         []*area
	before, after view
	// refusals are the statuses that davd may refuse it with. If there are none, davd
	// must carry it out.
	refusals []int
	// owner is the owner in a LOCK.
	owner string
}

func (o *operation) String() string {
	var text strings.Builder
	text.WriteString(o.method + " " + o.src)
	if o.dst != "" {
		text.WriteString(" to " + o.dst)
	}
	for _, name := range slices.Sorted(maps.Keys(o.header)) {
		if name != "If" && name != "Destination" {
			fmt.Fprintf(&text, " %s: %s", name, o.header[name])
		}
	}
	if o.header["If"] != "" {
		text.WriteString(" with tokens")
	}
	if o.body != "" {
		text.WriteString(" " + shorten(o.body))
	}
	return text.String()
}

// about reports whether the operation may have changed name, or a collection that contains it.
func (o *operation) about(name string) bool {
	for _, is := range []string{o.src, o.dst} {
		if is != "" && (is == name || below(name, is) || below(is, name)) {
			return true
		}
	}
	return false
}

// refuse records that davd must answer with one of the statuses, if so is true.
func (o *operation) refuse(so bool, statuses ...int) {
	if so {
		o.refusals = append(o.refusals, statuses...)
	}
}

// submit adds the tokens of all locks that may affect the operation. Without tokens, davd must
// refuse an operation that a lock forbids.
func (o *operation) submit(tokens bool, forbidden bool) {
	if !tokens {
		o.refuse(forbidden, http.StatusLocked, http.StatusMultiStatus)
		return
	}
	var header []string
	for _, owner := range slices.Sorted(maps.Keys(o.before.locks)) {
		l := o.before.locks[owner]
		header = append(header, "<"+l.root+"> (<"+l.token+">)")
	}
	if len(header) > 0 {
		o.header["If"] = strings.Join(header, " ")
	}
}

// plan chooses the details of an operation.
type plan struct {
	*chooser
	o      *operation
	tokens bool
}

// missingParent reports whether the parent collection of name is missing.
func (p plan) missingParent(name string) bool {
	parent, ok := p.o.before.resources[path.Dir(name)]
	return !ok || !parent.collection
}

func (p plan) put() {
	o := p.o
	o.method, o.src, o.body, o.chunked = http.MethodPut, p.place(o.before), p.content(), p.chance(0.2)
	old, exists := o.before.resources[o.src]
	o.refuse(exists && old.collection, http.StatusMethodNotAllowed)
	o.refuse(p.missingParent(o.src), http.StatusConflict)
	if p.chance(0.05) {
		o.header["If-None-Match"] = "*"
		o.refuse(exists, http.StatusPreconditionFailed)
	}
	o.submit(p.tokens, o.before.lockedOut(o.src, false, !exists))
	o.after.resources[o.src] = resource{content: o.body, props: old.props}
}

func (p plan) patch() {
	o := p.o
	o.method, o.src, o.body = http.MethodPatch, p.file(o.before), p.content()
	old, exists := o.before.resources[o.src]
	o.refuse(!exists, http.StatusNotFound)
	o.refuse(exists && old.collection, http.StatusMethodNotAllowed)
	from := len(old.content)
	o.header["Content-Type"] = "application/x-sabredav-partialupdate"
	o.header["X-Update-Range"] = "append"
	if from > 0 && p.chance(0.7) {
		from = p.below(from)
		o.header["X-Update-Range"] = "bytes=" + strconv.Itoa(from) + "-"
	}
	content := old.content[:from] + o.body
	if len(content) < len(old.content) {
		content += old.content[len(content):]
	}
	o.submit(p.tokens, o.before.lockedOut(o.src, false, false))
	o.after.resources[o.src] = resource{content: content, props: old.props}
}

func (p plan) mkcol() {
	o := p.o
	o.method, o.src = "MKCOL", p.place(o.before)
	_, exists := o.before.resources[o.src]
	o.refuse(exists, http.StatusMethodNotAllowed)
	o.refuse(p.missingParent(o.src), http.StatusConflict)
	o.submit(p.tokens, o.before.lockedOut(o.src, false, true))
	o.after.resources[o.src] = resource{collection: true}
}

func (p plan) remove() {
	o := p.o
	o.method, o.src = http.MethodDelete, p.any(o.before)
	_, exists := o.before.resources[o.src]
	o.refuse(!exists, http.StatusNotFound)
	o.submit(p.tokens, o.before.lockedOut(o.src, true, true))
	o.after.remove(o.src)
}

// transfer plans a COPY or a MOVE.
func (p plan) transfer(method string) {
	o := p.o
	o.method, o.src, o.dst = method, p.any(o.before), p.place(o.before)
	if p.chance(0.3) {
		o.dst = p.any(o.before)
	}
	o.header["Destination"] = o.dst
	_, exists := o.before.resources[o.src]
	_, replaces := o.before.resources[o.dst]
	o.refuse(!exists, http.StatusNotFound)
	o.refuse(o.src == o.dst || below(o.src, o.dst) || below(o.dst, o.src), http.StatusForbidden)
	o.refuse(p.missingParent(o.dst), http.StatusConflict)
	if p.chance(0.1) {
		o.header["Overwrite"] = "F"
		o.refuse(replaces, http.StatusPreconditionFailed)
	}
	forbidden := o.before.lockedOut(o.dst, true, !replaces)
	if method == "MOVE" {
		o.submit(p.tokens, forbidden || o.before.lockedOut(o.src, true, true))
		o.after.move(o.src, o.dst)
		return
	}
	deep := true
	if p.chance(0.15) {
		o.header["Depth"], deep = "0", false
	}
	o.submit(p.tokens, forbidden)
	o.after.copy(o.src, o.dst, deep)
}

// propNames are the names of the dead properties in the model.
var propNames = []string{"p1", "p2", "p3", "p4"}

const propSpace = "urn:davd:kill"

func (p plan) proppatch() {
	o := p.o
	o.method, o.src = "PROPPATCH", p.any(o.before)
	old, exists := o.before.resources[o.src]
	o.refuse(!exists, http.StatusNotFound)
	change := map[string]string{}
	for _, name := range propNames {
		switch {
		case p.chance(0.4):
			change[name] = p.value()
		case p.chance(0.2):
			change[name] = ""
		}
	}
	change[propNames[0]] = p.value()
	o.body = `<D:propertyupdate xmlns:D="DAV:" xmlns:K="` + propSpace + `">`
	for _, name := range propNames {
		switch value, ok := change[name]; {
		case !ok:
		case value == "":
			o.body += "<D:remove><D:prop><K:" + name + "/></D:prop></D:remove>"
		default:
			o.body += "<D:set><D:prop><K:" + name + ">" + value + "</K:" + name + "></D:prop></D:set>"
		}
	}
	o.body += "</D:propertyupdate>"
	o.header["Prefer"] = "return=minimal"
	o.submit(p.tokens, o.before.lockedOut(o.src, false, false))
	old.props = patched(old.props, change)
	o.after.resources[o.src] = old
}

func (p plan) lock() {
	o := p.o
	o.method, o.src, o.owner = "LOCK", p.any(o.before), p.unique()
	if p.chance(0.4) {
		o.src = p.place(o.before)
	}
	deep := p.chance(0.5)
	o.header["Timeout"], o.header["Depth"] = "Second-36000", "0"
	if deep {
		o.header["Depth"] = "infinity"
	}
	_, exists := o.before.resources[o.src]
	o.refuse(p.missingParent(o.src) && !exists, http.StatusConflict)
	for _, l := range o.before.locks {
		o.refuse(l.covers(o.src) || deep && below(l.root, o.src), http.StatusLocked, http.StatusMultiStatus)
	}
	o.body = lockBody(o.owner)
	o.submit(p.tokens, !exists && o.before.lockedOut(o.src, false, true))
	if !exists {
		o.after.resources[o.src] = resource{}
	}
	o.after.locks[o.owner] = held{root: o.src, deep: deep}
}

// unlock plans an UNLOCK. It returns false if there is no lock.
func (p plan) unlock() bool {
	o := p.o
	owners := slices.Sorted(maps.Keys(o.before.locks))
	if len(owners) == 0 {
		return false
	}
	owner := owners[p.below(len(owners))]
	l := o.before.locks[owner]
	o.method, o.src = "UNLOCK", l.root
	o.header["Lock-Token"] = "<" + l.token + ">"
	delete(o.after.locks, owner)
	return true
}

func lockBody(owner string) string {
	return `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>` +
		`<D:owner>` + owner + `</D:owner></D:lockinfo>`
}
