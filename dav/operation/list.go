package operation

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

// serveList serves the list of the operations that r may see.
func (d Documents) serveList(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, listMethods)
	case http.MethodGet, http.MethodHead:
	default:
		w.Header().Set("Allow", listMethods)
		return status.New(http.StatusMethodNotAllowed, "the list of operations can only be read")
	}
	views, err := d.list(r)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if field.PreferredType(r.Header["Accept"], jsonType, htmlType) == htmlType {
		return status.Logged(d.respondListPage(w, r, views))
	}
	list := StatusList{Operations: make([]Status, 0, len(views))}
	for _, v := range views {
		v.Failures = nil
		list.Operations = append(list.Operations, *newStatus(v, d.Registry.hrefIn(r.Context())))
	}
	return status.Logged(browser.WriteJSON(w, http.StatusOK, &list))
}

// list returns the operations that r may see, the most recent first: all for an
// administrator, and a principal's own for a principal. A client without a principal sees
// those that have none if all such clients are one person, and otherwise none.
func (d Documents) list(r *http.Request) ([]*view, error) {
	principal, all := d.Access.Principal(r), d.Access.Administers(r)
	if principal == "" && !all && !d.Access.OnePerson() {
		return nil, nil
	}
	var views []*view
	listed := make(map[string]bool)
	for _, op := range d.Registry.of(func(op *operation) bool { return ofTenant(r, op) && (all || op.Principal == principal) }) {
		v := d.Registry.view(op)
		views, listed[v.ID] = append(views, v), true
	}
	var records []history.Record
	var err error
	if all {
		records, err = d.Registry.server.Records().AllOperations(r.Context())
	} else {
		records, err = d.Registry.server.Records().ListOperations(r.Context(), principal)
	}
	if err != nil {
		return nil, err
	}
	elsewhere, err := d.Registry.elsewhere(r.Context())
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		if listed[record.ID] {
			continue
		}
		known := elsewhere[record.ID]
		known.Record = record
		if v := d.viewOfRecord(r.Context(), known); !v.outdated() {
			views = append(views, v)
		}
	}
	for i := range views {
		views[i] = d.shownTo(r, views[i])
	}
	slices.SortStableFunc(views, func(a, b *view) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.ID, b.ID))
	})
	return views, nil
}

// respondListPage writes the list of operations as a page for a browser.
func (d Documents) respondListPage(w http.ResponseWriter, r *http.Request, views []*view) error {
	all := d.Access.Administers(r)
	p := page{
		Title: "Operations", Live: slices.ContainsFunc(views, (*view).running), Views: views,
		Base:   "./", // relative, because a proxy in front may have changed the path
		Listed: all || d.Access.OnePerson() || d.Access.Principal(r) != "", Owners: all,
	}
	if !strings.HasSuffix(r.URL.Path, "/") {
		p.Base = "./" + Name + "/"
	}
	if d.Files {
		p.Files = p.Base + "../"
	}
	return p.write(w, "list.html")
}
