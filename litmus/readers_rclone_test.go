package litmus

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

func rcloneReader(name, program string) reader {
	return reader{
		name: name, needs: []string{program}, version: printed(program, "version"), lab: true, accepts: true, when: unixTime,
		apart: map[string]apart{
			"latin1-\xfc": {name: "latin1-\ufffd", why: "it is told in JSON, which has no name that is not UTF-8"},
		},
		read: func(t *testing.T, base string, _ []string) shown {
			t.Helper()
			home := t.TempDir()
			args := []string{"--config", filepath.Join(home, "rclone.conf"), "--retries", "1", "--low-level-retries", "1", "lsjson", "-R", ":webdav,url='" + base + "':"}
			run := client{name: program, args: args, home: home}.mustRun(t)
			var entries []struct {
				Path    string
				Size    int64
				ModTime time.Time
				IsDir   bool
			}
			if err := json.Unmarshal([]byte(run.stdout), &entries); err != nil {
				t.Fatal(err)
			}
			found := make(shown)
			for _, e := range entries {
				found.note(t, e.Path, describe(e.IsDir, e.Size, unixTime(e.ModTime)))
			}
			return found
		},
	}
}
