package operation

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/storage/history"
)

var pageStart = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

// pageRecords are operations in each of their states.
var pageRecords = map[string]history.Record{
	"unknown": {Method: "DELETE", Source: "/a", State: history.Running, Started: pageStart, Updated: pageStart},
	"running": {
		ID: "x", Principal: "ann", Method: "COPY", Source: "/a", Destination: "/b", State: history.Running,
		Started: pageStart, Updated: pageStart.Add(65 * time.Second),
		Done: 1234, Known: 5000, Bytes: 25e6, KnownBytes: 100e6, Current: "/a/c/d", Failures: []history.Failure{{Name: "/a/e", Status: 423}}, FailuresTotal: 1,
	},
	"partial": {
		Method: "MOVE", Source: "/a", Destination: "/b", State: history.Finished, Status: 207,
		Started: pageStart, Updated: pageStart.Add(time.Hour), Ended: pageStart.Add(time.Hour),
		Done: 5000, Known: 5000, Failures: []history.Failure{{Name: "/a/e", Status: 423}, {Name: "/a/f<", Status: 403}}, FailuresTotal: 1234,
	},
	"owned": {
		Principal: "ben<", Method: "DELETE", Source: "/a", State: history.Finished, Status: 204,
		Started: pageStart, Updated: pageStart, Ended: pageStart, Done: 1, Known: 1,
	},
	"stopped": {
		Method: "COPY", Source: "/a", Destination: "/b", State: history.Stopped, Status: 403, Reason: "stopped on request", StoppedBy: history.Owner,
		Started: pageStart, Updated: pageStart, Ended: pageStart, Done: 1, Known: 2,
	},
}

// TestOperationPage checks what the page contains and leaves out in each state.
func TestOperationPage(t *testing.T) {
	for name, c := range map[string]struct{ has, hasNot []string }{
		"unknown": {
			[]string{
				"<title>Delete /a</title>", `<progress aria-label="Progress"></progress>`, `class="state running"`,
				">Stop</button>", "<script", "<noscript>",
			},
			[]string{"Members", "Rate", "left", "%</", "Content", "Current", "found so far", "All operations", "Failed"},
		},
		"running": {
			[]string{
				"<title>24% Copy /a to /b</title>", `<progress aria-label="Progress" max="5000" value="1234"></progress>`, "<strong>24%</strong> <span>about 1 min 15 s left</span>",
				"<bdi>1,234 of 5,000</bdi>", "<bdi>25 MB of 100 MB</bdi>", "<bdi>c/d</bdi>", "<bdi>50 members, 1.0 MB a second</bdi>", "<bdi>2026-11-21 06:00:00 UTC, 1 min 5 s ago</bdi>",
				"<h2>Failed: 1</h2>", "<li><bdi>e</bdi>: 423 Locked</li>\n</ul>", ">Stop and roll back</button>", `<a href="./">All operations</a>`, "<script",
			},
			[]string{"Ended", "forget", "more</li>", "found so far", "counting"},
		},
		"counting": {
			[]string{
				"<title>Copy /a to /b</title>", `<progress aria-label="Progress"></progress>` + "\n" + `<p class="far"><span>still counting</span></p>`,
				"<bdi>1,234 of 5,000 found so far</bdi>", `<p><a href="../">Files</a></p>`, "<bdi>25 MB of 100 MB found so far</bdi>", "<bdi>50 members, 1.0 MB a second</bdi>",
			},
			[]string{"%</", "left", "value=\"1"},
		},
		"partial": {
			[]string{
				"<title>finished: Move /a to /b</title>", `<dd class="state mixed">finished: 207 Multi-Status</dd>`, "<bdi>5,000 of 5,000</bdi>", "<bdi>2026-11-21 07:00:00 UTC, after 1 h</bdi>",
				"<h2>Failed: 1,234</h2>", "<li><bdi>f&lt;</bdi>: 403 Forbidden</li>\n<li>and 1,232 more</li>", ">Forget this operation</button>",
			},
			[]string{"<progress", "<script", "<noscript>", "left", "stop"},
		},
		"stopped": {
			[]string{"<title>stopped: Copy /a to /b</title>", `<dd class="state mixed">Stopped by you. Nothing changed.</dd>`, "<bdi>1 of 2</bdi>"},
			[]string{"403", "Reason", "<progress", "<script", "<noscript>", "Rate", `value="stop"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := &view{Record: pageRecords[name], own: true}
			switch name {
			case "running":
				v = runningView(pageRecords[name])
				v.members, v.bytes = 50.2, 1e6
			case "counting":
				v = &view{Record: pageRecords["running"], members: 50.2, bytes: 1e6}
			}
			v.rollsBack = v.Destination != ""
			answer := httptest.NewRecorder()
			if err := (Documents{Files: true}).respondPage(answer, v, v.Principal != ""); err != nil {
				t.Fatal(err)
			}
			wantPage(t, answer.Body.String(), c.has, c.hasNot)
		})
	}
}

// TestOperationListPage checks that the list updates itself while an operation in it is
// running.
func TestOperationListPage(t *testing.T) {
	for _, c := range []struct {
		name        string
		access      fixedAccess
		views       []string
		has, hasNot []string
	}{
		{"a stranger", fixedAccess{}, nil, []string{"You are not signed in"}, []string{"<table"}},
		{"one person", fixedAccess{onePerson: true}, nil, []string{"No operations in the last day.", `<a href="./../">Files</a>`}, []string{"<table"}},
		{"an administrator", fixedAccess{principal: "root", administers: true}, []string{"owned"}, []string{`<th scope="col">User</th>`, `</a></td><td><bdi>ben&lt;</bdi></td><td class=`}, nil},
		{"none", fixedAccess{principal: "ann"}, nil, []string{"No operations in the last day."}, []string{">Files<", "<table", "<script", "<noscript>"}},
		{"ended", fixedAccess{principal: "ann"}, []string{"partial"}, []string{`<td class="state mixed">finished: 207 Multi-Status</td><td>5,000 of 5,000</td>`}, []string{">User<", "<script", "<noscript>"}},
		{"running", fixedAccess{principal: "ann"}, []string{"running", "stopped"}, []string{
			`<a href="./x">Copy <bdi>/a</bdi> to <bdi>/b</bdi></a></td><td class="state running">running, 24%</td><td>1,234 of 5,000</td>`,
			`<td class="state mixed">Stopped by you. Nothing changed.</td><td>1 of 2</td>`, "<script", "<noscript>",
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var views []*view
			for _, name := range c.views {
				v := runningView(pageRecords[name])
				v.own, v.rollsBack = true, true
				views = append(views, v)
			}
			answer := httptest.NewRecorder()
			d := Documents{Access: c.access, Files: c.access.onePerson}
			if err := d.respondListPage(answer, httptest.NewRequest(http.MethodGet, "/"+Name+"/", http.NoBody), views); err != nil {
				t.Fatal(err)
			}
			wantPage(t, answer.Body.String(), c.has, c.hasNot)
		})
	}
}

// wantPage checks the content of a page apart from its style and script.
func wantPage(t *testing.T, page string, has, hasNot []string) {
	t.Helper()
	page = strings.NewReplacer(browser.Style(), "", pageScript, "").Replace(page)
	for _, part := range has {
		if !strings.Contains(page, part) {
			t.Errorf("%s is not in %s", part, page)
		}
	}
	for _, part := range hasNot {
		if strings.Contains(page, part) {
			t.Errorf("%s is in %s", part, page)
		}
	}
}

// TestOperationPageStopping checks that the page shows a rollback and then has no
// button to stop.
func TestOperationPageStopping(t *testing.T) {
	for name, c := range map[string]struct {
		stopping    bool
		has, hasNot []string
	}{
		"on request": {true, []string{
			"<title>stopping: Copy /a to /b</title>", `<progress aria-label="Progress"></progress>`, `<dd class="state running">stopping</dd>`, "<bdi>1,234 of 5,000</bdi>", "<script",
		}, []string{"<form", "%", "left", "counting", "Rate", "Current"}},
		"its end": {false, []string{"<title>24% Copy /a to /b</title>", `<dd class="state running">running</dd>`, "<form", "<script"}, []string{"stopping"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := runningView(pageRecords["running"])
			v.members, v.Stopping = 1, c.stopping
			v.rollsBack = v.Destination != ""
			answer := httptest.NewRecorder()
			if err := (Documents{Files: true}).respondPage(answer, v, v.Principal != ""); err != nil {
				t.Fatal(err)
			}
			wantPage(t, answer.Body.String(), c.has, c.hasNot)
		})
	}
}
