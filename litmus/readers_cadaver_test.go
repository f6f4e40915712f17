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
			// Some names can't be typed at the prompt: those with control characters, invalid
			// UTF-8 or the pattern *. They have to be in the URL that cadaver starts with. The
			// URL must not escape the *.
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

// cadaverLine matches a line of cadaver's ls: kind, name, size and time. The name may contain
// newlines. Spaces after it belong to the column.
var cadaverLine = regexp.MustCompile(`(?ms)^(Coll:  |       ) (.*?) +(\d+) +(\(unknown\)|[A-Z][a-z]{2} [ \d]\d (?:\d\d:\d\d| \d{4})) *$`)

// cadaverLists runs a session with one command for each collection.
func cadaverLists(t *testing.T, url string, collections, commands []string, found shown) {
	t.Helper()
	home := t.TempDir()
	run := client{
		name: "env", args: []string{"TZ=UTC", "cadaver", url}, dir: home, home: home,
		stdin: strings.Join(commands, "\n") + "\nquit\n",
	}.mustRun(t)
	answers := []string{run.stdout}
	if len(commands) > 1 { // the session started at the root
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

// cadaverTime formats a time like cadaver: to the minute if it is at most half a year old, and
// otherwise to the day. Its library uses the second before 1970 as an error value.
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
