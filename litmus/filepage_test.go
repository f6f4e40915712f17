package litmus

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// npmAxe is the program that finds what people with disabilities can't use.
var npmAxe = filepath.Join(labBin, "node_modules/axe-core/axe.min.js")

// maxBrowsers is how many browsers run at a time.
const maxBrowsers = 3

// A filePageTask is a task for testdata/lab/filepage/main.mjs.
type filePageTask struct {
	URL   string `json:"url"`
	User  string `json:"user"`
	Dir   string `json:"dir"`
	Width int    `json:"width"`
	Part  string `json:"part"`
}

// A filePagePart is a module in testdata/lab/filepage.
type filePagePart struct {
	name string
	// start starts its server for a user or, with "", without users.
	start func(t *testing.T, user string, flags ...string) *server
	// needsUser says that it makes no sense without users, everyone that it runs with and without them
	// at each width.
	needsUser, everyone bool
	// front starts a proxy that the browser uses. It may be nil.
	front func(t *testing.T, upstream string) string
}

var filePageParts = []filePagePart{
	{name: "browse", start: filePageServer},
	{name: "change", start: filePageServer},
	{name: "upload", start: filePageServer},
	{name: "view", start: mediaServer},
	{name: "operations", start: slowPageServer},
	{name: "plain", start: filePageServer, everyone: true},
	{name: "hostile", start: hostileServer},
	{name: "shares", start: sharesServer},
	{name: "rights", start: rightsServer, needsUser: true},
	{name: "keyboard", start: slowPageServer},
	{name: "keys", start: filePageServer},
	{name: "search", start: deepServer},
	{name: "display", start: filePageServer},
	{name: "errors", start: brokenServer},
	{name: "limited", start: filePageServer, front: limitedProxy},
}

// TestFilePage uses the file browser in Chromium: each part in windows of three widths, with and
// without users. In windows of 768 px the server has a prefix. The modules say what they expect, and
// testdata/lab/filepage/README.md which of them is about what.
func TestFilePage(t *testing.T) {
	t.Parallel()
	if !*wholeLab {
		return
	}
	if err := missing([]string{"chromium", "node", npmPuppeteer, npmAxe, nginxProgram}); err != nil {
		summary.skip(t, "file browser in Chromium", err)
	}
	// More browsers would make each other so slow that the tests wait in vain.
	browsers := make(chan struct{}, maxBrowsers)
	for i, width := range []int{320, 768, 1280} {
		for j, part := range filePageParts {
			for _, user := range part.users(i + j) {
				name := fmt.Sprintf("%s at %d px", part.name, width)
				if part.everyone && user != "" {
					name += " as " + user
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					browsers <- struct{}{}
					defer func() { <-browsers }()
					part.run(t, user, width)
				})
			}
		}
	}
}

// users are those that use the part, where "" stands for a server without users.
func (part filePagePart) users(turn int) []string {
	switch {
	case part.everyone:
		return []string{"", "ann"}
	case part.needsUser || turn%2 == 1:
		return []string{"ann"}
	}
	return []string{""}
}

// run starts the server of the part and a browser that uses it.
func (part filePagePart) run(t *testing.T, user string, width int) {
	t.Helper()
	var flags []string
	if width == 768 {
		flags = append(flags, "--prefix", "/dav/my files")
	}
	url := strings.TrimSuffix(part.start(t, user, flags...).url, "/")
	if part.front != nil {
		_, upstream, _ := strings.Cut(url, "://")
		upstream, path, _ := strings.Cut(upstream, "/")
		url = strings.TrimSuffix(part.front(t, upstream)+"/"+path, "/")
	}
	filePageTask{URL: url, User: user, Width: width, Part: part.name}.run(t)
}

// limitedProxy starts an nginx that refuses requests of more than 1 MiB.
func limitedProxy(t *testing.T, upstream string) string {
	t.Helper()
	limited := labProxy{config: nginxConfig("", "client_max_body_size 1m; "+nginxTold), argv: nginxArgv}
	return limited.front(time.Minute)(t, upstream)
}

// run makes a browser carry out the task.
func (task filePageTask) run(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	task.Dir = home
	runInChromium(t, home, filepath.Join("filepage", "main.mjs"), task, npmPuppeteer, npmAxe)
}
