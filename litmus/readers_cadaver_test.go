package litmus

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var cadaverReader = reader{
	name: "cadaver", needs: []string{"cadaver"}, version: printed("cadaver", "--version"), when: cadaverTime,
	apart: map[string]apart{
		"names/trailing ":       {name: "names/trailing", why: cadaverColumn},
		"collections/trailing ": {name: "collections/trailing", why: cadaverColumn},
	},
	read: func(t *testing.T, base string, collections []string) shown {
		t.Helper()
		found := make(shown)
		var typed, commands []string
		for _, name := range collections {
			// What the prompt does not take as it is can only stand in the URL that
			// cadaver begins with: orders to it, no UTF-8, and the pattern *, which the
			// URL must not escape.
			if strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) || strings.Contains(name, "*") {
				start := base + strings.ReplaceAll(escapedPath("/"+name), "%2A", "*") + "/"
				cadaverLists(t, start, []string{name}, []string{"ls"}, found)
				continue
			}
			typed = append(typed, name)
			commands = append(commands, `ls "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace("/"+name)+`"`)
		}
		cadaverLists(t, base+"/", typed, commands, found)
		return found
	},
}

const cadaverColumn = "a name is filled up with spaces to the width of its column"

// cadaverLine is a line of cadaver's ls: kind, name, size, time. There may be
// newlines in the name, and the last spaces belong to the column.
var cadaverLine = regexp.MustCompile(`(?ms)^(Coll:  |       ) (.*?) +(\d+) +(\(unknown\)|[A-Z][a-z]{2} [ \d]\d (?:\d\d:\d\d| \d{4})) *$`)

// cadaverLists runs a session of one command for each collection.
func cadaverLists(t *testing.T, url string, collections, commands []string, found shown) {
	t.Helper()
	home := t.TempDir()
	run := client{
		name: "env", args: []string{"TZ=UTC", "cadaver", url}, dir: home, home: home,
		stdin: strings.Join(commands, "\n") + "\nquit\n",
	}.mustRun(t)
	answers := []string{run.stdout}
	if len(commands) > 1 { // it began at the root
		answers = strings.Split(run.stdout, "dav:/> ")[1:]
	}
	if len(answers) < len(commands) {
		t.Fatalf("%d answers to %d commands: %.400s", len(answers), len(commands), run.stdout)
	}
	for i, name := range collections {
		_, answer, ok := strings.Cut(answers[i], strings.ReplaceAll("Listing collection `/"+name+"/': ", "//", "/"))
		members, full := strings.CutPrefix(answer, "succeeded.\n")
		if !ok || !full && !strings.HasPrefix(answer, "collection is empty.\n") {
			t.Errorf("%s: %.400s", commands[i], answers[i])
			continue
		}
		for _, match := range cadaverLine.FindAllStringSubmatch(members, -1) {
			found.note(t, path.Join(name, match[2]), describe(match[1] == "Coll:  ", int64(atoi(t, match[3])), match[4]))
		}
	}
}

// cadaverTime is to the minute for what is half a year old at most, else to the
// day. Its library tells the second before 1970 by the value of an error.
func cadaverTime(when time.Time) string {
	const halfYear = 6 * 30 * 24 * time.Hour
	when = when.UTC()
	if when.Unix() == -1 {
		return "(unknown)"
	}
	if age := time.Since(when); age > halfYear || age < -time.Hour {
		return when.Format("Jan _2  2006")
	}
	return when.Format("Jan _2 15:04")
}
