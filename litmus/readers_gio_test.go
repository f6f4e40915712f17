package litmus

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var gioReader = reader{
	name: "GVfs", needs: []string{"gio", "dbus-run-session", "/usr/lib/gvfs/gvfsd-dav"}, version: packaged("gvfs"), lab: true, accepts: true,
	// GIO's time::modified is unsigned.
	when: func(when time.Time) string { return strconv.FormatUint(uint64(when.Unix()), 10) },
	read: func(t *testing.T, base string, collections []string) shown {
		t.Helper()
		dir, dav := t.TempDir(), "dav"+strings.TrimPrefix(base, "http")
		var session strings.Builder
		session.WriteString("gio mount " + dav + "\n")
		for _, name := range collections {
			session.WriteString("gio list --hidden --print-uris --long --attributes=time::modified '" + dav + escapedPath("/"+name) + "'\n")
		}
		session.WriteString("gio mount --unmount " + dav + "\n")
		run := client{
			name: "dbus-run-session", args: []string{"--", "env", "XDG_RUNTIME_DIR=" + dir, "sh", "-e"},
			dir: dir, home: dir, stdin: session.String(),
		}.mustRun(t)
		found := make(shown)
		for _, line := range lines(run.stdout) {
			match := gioLine.FindStringSubmatch(line)
			if match == nil {
				t.Errorf("gio shows %q", line)
				continue
			}
			name, nameErr := url.PathUnescape(strings.TrimPrefix(match[1], dav+"/"))
			size, sizeErr := strconv.ParseInt(match[2], 10, 64)
			if err := errors.Join(nameErr, sizeErr); err != nil {
				t.Fatal(err)
			}
			found.note(t, name, describe(match[3] == "directory", size, match[4]))
		}
		return found
	},
}

// gioLine matches a line of gio list: the URL, size, kind and time.
var gioLine = regexp.MustCompile(`^(\S+)\t(\d+)\t\((regular|directory)\)\ttime::modified=(\d+)$`)

// escapedPath returns name as the escaped path of a URL. It needs no quotes in a shell.
func escapedPath(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(part), "'", "%27")
	}
	return strings.Join(parts, "/")
}
