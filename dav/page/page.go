// Package page is the file browser of davd serve: pages for people who open a collection in a
// browser. With scripts, a page is a WebDAV client that shows, moves, uploads and views files and
// follows long operations. Without scripts, it lists, uploads and creates folders with forms.
//
// The scripts are built from the TypeScript sources in src with "make page". The result is in dist.
package page

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav"
)

//go:embed dist
var built embed.FS

//go:embed page.html
var pageText string

// Pages implements [dav.Pages].
type Pages struct {
	assets map[string][]byte
	page   *template.Template
	// boot, script and style are the assets that the page loads first.
	boot, script, style string
}

// The keys of what a page loads first in the manifest of Vite.
const bootSource, scriptSource, styleSource = "src/boot.ts", "src/main.tsx", "style.css"

// New returns the pages.
func New() *Pages {
	p := &Pages{assets: make(map[string][]byte)}
	p.page = template.Must(template.New("").Funcs(template.FuncMap{
		"crumbs": crumbs, "rows": rows,
	}).Parse(pageText))
	if err := p.load(); err != nil {
		panic(fmt.Sprintf("dav/page: the built files are damaged: %v: run make page", err))
	}
	return p
}

// load reads the built files.
func (p *Pages) load() error {
	content, err := built.ReadFile("dist/manifest.json")
	if err != nil {
		return err
	}
	var manifest map[string]struct {
		File string `json:"file"`
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		return err
	}
	p.boot, p.script, p.style = manifest[bootSource].File, manifest[scriptSource].File, manifest[styleSource].File
	if p.boot == "" || p.script == "" || p.style == "" {
		return fmt.Errorf("the manifest lacks %s, %s or %s", bootSource, scriptSource, styleSource)
	}
	return fs.WalkDir(built, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		p.assets[strings.TrimPrefix(name, "dist/")], err = built.ReadFile(name)
		return err
	})
}

// Asset implements dav.Pages.
func (p *Pages) Asset(name string) (content []byte, contentType string, ok bool) {
	content, ok = p.assets[name]
	switch ext := path.Ext(name); ext {
	case ".js":
		return content, "text/javascript; charset=utf-8", ok
	case ".css":
		return content, "text/css; charset=utf-8", ok
	default:
		return content, mime.TypeByExtension(ext), ok
	}
}

// Collection implements dav.Pages. The Content-Security-Policy names the scripts by a nonce, so
// that no file of a user can run, although such files have the same origin.
func (p *Pages) Collection(w http.ResponseWriter, r *http.Request, c *dav.Collection) error {
	nonce := rand.Text()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"' 'strict-dynamic'; worker-src 'self'; style-src 'self'; "+
		"img-src 'self' blob: data:; media-src 'self'; frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "same-origin") // with "no-referrer" the forms would send no Origin
	return p.page.Execute(w, &shown{Collection: c, Nonce: nonce, Boot: p.boot, Script: p.script, Style: p.style, Order: r.URL.Query().Get("sort")})
}

// shown is what the template shows.
type shown struct {
	*dav.Collection
	Nonce, Boot, Script, Style string
	// Order is the query parameter sort.
	Order string
}

// Title is the title of the page.
func (s *shown) Title() string {
	if s.Name == "/" {
		return "Files"
	}
	return label(path.Base(s.Name))
}

// Next returns the value of sort for the heading of a column: another click reverses the order.
func (s *shown) Next(column string) string {
	if s.Order == column || s.Order == "" && column == "name" {
		return "-" + column
	}
	return column
}

// Sorted returns the value of aria-sort for a column.
func (s *shown) Sorted(column string) string {
	switch {
	case s.Order == column, s.Order == "" && column == "name":
		return "ascending"
	case s.Order == "-"+column:
		return "descending"
	}
	return "none"
}
