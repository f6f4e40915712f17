package kill

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWatch makes changes elsewhere on the disk, which the watch must notice.
func TestWatch(t *testing.T) {
	for name, script := range map[string]string{
		"content":    "echo more >> old",
		"a file":     ": > new",
		"a folder":   "mkdir new",
		"a removal":  "rm old",
		"a name":     "mv old new",
		"permission": "chmod 700 old",
		"a child":    "sh -c 'echo more >> old; sleep 0.1'; true",
	} {
		t.Run(name, func(t *testing.T) {
			w := watchRest(t)
			if w == nil {
				t.Skip("nobody watches the rest of the disk here")
			}
			dir := t.TempDir()
			if err := exec.Command("touch", filepath.Join(dir, "old")).Run(); err != nil {
				t.Fatal(err)
			}
			// The followed shell makes the change itself, or execs the program that does.
			planter := exec.Command("sh", "-c", "cd "+dir+" && read -r go && "+strings.Replace("exec "+script, "exec : ", ": ", 1))
			if strings.HasPrefix(script, "echo") || strings.HasPrefix(script, "sh") {
				planter = exec.Command("sh", "-c", "cd "+dir+" && read -r go && "+script)
			}
			in, err := planter.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := planter.Start(); err != nil {
				t.Fatal(err)
			}
			w.follow(planter.Process.Pid)
			if _, err := in.Write([]byte("go\n")); err != nil {
				t.Fatal(err)
			}
			if err := planter.Wait(); err != nil {
				t.Fatal(err)
			}
			changed := w.changed(t)
			if len(changed) == 0 || !strings.Contains(changed[0], dir) {
				t.Errorf("the watch has seen %q, want a change in %s", changed, dir)
			}
		})
	}
}
