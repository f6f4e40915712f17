package litmus

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pagePrologue makes a machine of its own for the commands of a page: a network with nothing but
// loopback, and copies of the files and directories that the page writes to.
const pagePrologue = `set -eu
export PATH=$1:/usr/sbin:/usr/bin:/sbin:/bin HOME=$2/home
work=$2
repository=$PWD/..
ip link set lo up
mkdir $HOME $work/davfs2
cp -a /etc/davfs2/. $work/davfs2
mount --bind $work/davfs2 /etc/davfs2
echo '127.0.0.1 localhost nas' >$work/hosts
mount --bind $work/hosts /etc/hosts
touch $work/fstab
mount --bind $work/fstab /etc/fstab
for dir in /etc/davd /srv /var/lib/davd /mnt /var/backups /var/run/mount.davfs; do
	mkdir -p $dir
	mount -t tmpfs tmpfs $dir
done
chmod 1777 /var/run/mount.davfs
echo "ask_auth 0" >> /etc/davfs2/davfs2.conf
server=
serving() {
	server=$!
	until grep -qs '^davd: serving' $work/serving; do
		kill -0 $server || { cat $work/log; exit 1; }
		sleep 0.1
	done
}
stop() {
	[ -n "$server" ] || return 0
	kill $server
	wait $server
	server=
}
password() { printf 'the password of %s\n' $1; }
refused() { ! "$@" 2>/dev/null || { echo "not refused: $*"; exit 1; }; }
plain() { sed -E 's/davd_[a-z0-9]+/TOKEN/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}/DATE/g; s/ +/ /g'; }
`

// runPage runs a script, in namespaces of its own.
func runPage(t *testing.T, script string) {
	t.Helper()
	work := t.TempDir()
	name := filepath.Join(work, "page.sh")
	if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "-n", "--propagation", "private", "bash", "-x", name, filepath.Dir(davdBinary), work)
	cmd.Env = withoutPrefix(os.Environ(), "DAVD_")
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestPages runs the commands in docs/ as they are printed. Where a person would type a password,
// it is on standard input or in the variable for it.
func TestPages(t *testing.T) {
	t.Parallel()
	if err := errors.Join(mountPermitted(), fuseUsable()); err != nil {
		summary.skip(t, "docs", err)
	}
	for _, name := range docsPages(t) {
		script := pageScript(t, name)
		if script == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runPage(t, pagePrologue+script)
		})
	}
}

// pageScript returns a script that runs a page, or "" if it has nothing to run.
func pageScript(t *testing.T, name string) string {
	t.Helper()
	var script strings.Builder
	page := pages[name]
	if page.home {
		script.WriteString(homeServer(t))
	}
	script.WriteString(page.setup + "\nmkdir $work/page; cd $work/page\n")
	runs := false
	for _, block := range readBlocks(t, name) {
		commands := blockScript(block)
		if commands == "" {
			continue
		}
		runs = true
		first, _, _ := strings.Cut(block.text, "\n")
		script.WriteString(typed(page.before[first]) + commands)
	}
	if !runs {
		return ""
	}
	return script.String() + page.check + "\nstop\n"
}

func blockScript(block docsBlock) string {
	switch {
	case block.use == "file":
		return fileScript(block)
	case block.use != "run":
		return ""
	case block.lang == "console":
		return consoleScript(block.text)
	default:
		return typed(block.text)
	}
}

// homeServer returns the commands of docs/home.md that start a server.
func homeServer(t *testing.T) string {
	t.Helper()
	const blocks = 3
	var script strings.Builder
	for _, block := range readBlocks(t, "home.md")[:blocks] {
		script.WriteString(typed(block.text))
	}
	return script.String()
}

// fileScript writes a configuration file and checks it. One in a directory of its own is included
// by another one, which is checked. One without shares is only a part.
func fileScript(block docsBlock) string {
	script := fmt.Sprintf("mkdir -p $(dirname %[1]s)\ncat >%[1]s <<'END'\n%[2]sEND\n", block.arg, block.text)
	if !strings.Contains(block.text, "shares:") {
		script += fmt.Sprintf("echo 'shares: {/files: {dir: /srv}}' >>%s\n", block.arg)
	}
	if path.Dir(block.arg) == "." {
		script += fmt.Sprintf("chmod 600 %[1]s\ndavd config check %[1]s\n", block.arg)
	}
	return script
}

// consoleScript runs the commands of a console and compares what they print with the page, apart
// from passwords, dates and the width of columns.
func consoleScript(text string) string {
	var script, want strings.Builder
	compare := func() {
		if want.Len() > 0 {
			fmt.Fprintf(&script, "diff <(plain <<'END'\n%sEND\n) <(plain <$work/console)\n", want.String())
			want.Reset()
		}
	}
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			compare()
			script.WriteString(strings.TrimSuffix(command, "\n") + " >$work/console\n")
			continue
		}
		want.WriteString(line)
	}
	compare()
	return script.String()
}

var (
	continued = regexp.MustCompile(`\\\n\s*`)
	asksNew   = regexp.MustCompile(`^echo "(\w+):\$\(davd passwd\)"`)
	asks      = regexp.MustCompile(`^davd .*--user (\w+) `)
	starts    = regexp.MustCompile(`^davd (?:serve|proxy)\b`)
)

// typed returns commands with a password for each one that asks for one. A server runs in the
// background until the next one starts.
func typed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(continued.ReplaceAllString(text, "")) {
		line = strings.TrimSuffix(line, "\n")
		if m := asksNew.FindStringSubmatch(line); m != nil {
			line = "password " + m[1] + " | { " + line + "; }"
		}
		if m := asks.FindStringSubmatch(line); m != nil {
			line = "DAVD_PASSWORD=\"$(password " + m[1] + ")\" " + line
		}
		if starts.MatchString(line) {
			line = "stop\nrm -f $work/serving\n" + strings.TrimSuffix(line, " &") + " >$work/serving 2>$work/log &\nserving"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
