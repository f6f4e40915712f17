package litmus

import (
	"errors"
	"os"
	"os/exec"
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
ip link set lo up
mkdir $HOME $work/davfs2
cp -a /etc/davfs2/. $work/davfs2
mount --bind $work/davfs2 /etc/davfs2
echo '127.0.0.1 localhost nas' >$work/hosts
mount --bind $work/hosts /etc/hosts
touch $work/fstab
mount --bind $work/fstab /etc/fstab
for dir in /etc/davd /srv /var/lib/davd /mnt /var/run/mount.davfs; do
	mkdir -p $dir
	mount -t tmpfs tmpfs $dir
done
chmod 1777 /var/run/mount.davfs
echo "ask_auth 0" >> /etc/davfs2/davfs2.conf
serving() {
	server=$!
	for _ in $(seq 200); do
		! davd ls --cacert /var/lib/davd/tls/self-signed.crt https://localhost:8443/shared/ >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	return 1
}
password() { printf 'the password of %s\n' $1; }
refused() { ! "$@" 2>/dev/null || { echo "not refused: $*"; exit 1; }; }
`

// pages are the documents whose commands are run. setup is how many commands of docs/home.md come
// before, and check what is true afterwards.
var pages = []struct {
	name  string
	setup int
	check string
}{
	{"home.md", 0, `
test "$(cat /srv/home/ann/hello.txt /srv/home/bob/hello.txt /srv/shared/hello.txt | sort -u)" = hello
refused davd ls --user "bob:$(password bob)" --cacert /var/lib/davd/tls/self-signed.crt https://localhost:8443/home/ann/
refused davd put --cacert /var/lib/davd/tls/self-signed.crt /tmp/hello.txt https://localhost:8443/shared/guest.txt`},
	{"clients/davfs2.md", homeSetup, "cmp /etc/hostname /srv/shared/hostname.txt"},
	{"clients/rclone.md", homeSetup, "cmp /etc/hostname /srv/shared/hostname; cmp /var/lib/davd/tls/self-signed.crt /srv/home/ann/self-signed.crt"},
}

// homeSetup is how many blocks of docs/home.md start the server.
const homeSetup = 3

// TestPages runs all commands of some documents as they are printed. Where a person would type a
// password, it is on standard input or in the variable for it.
func TestPages(t *testing.T) {
	t.Parallel()
	if err := errors.Join(mountPermitted(), fuseUsable()); err != nil {
		summary.skip(t, "docs", err)
	}
	home := readBlocks(t, "home.md")
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			var script strings.Builder
			script.WriteString(pagePrologue)
			for _, block := range append(home[:page.setup:page.setup], readBlocks(t, page.name)...) {
				script.WriteString(typed(block))
			}
			runPage(t, script.String()+page.check+"\nkill $server\nwait $server\n")
		})
	}
}

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

func readBlocks(t *testing.T, name string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return commandBlocks(string(page))
}

// commandBlocks returns the blocks of text that are indented by four spaces, without these.
func commandBlocks(page string) []string {
	var blocks []string
	open := false
	for line := range strings.Lines(page) {
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented && open:
			blocks[len(blocks)-1] += text
		case indented:
			blocks, open = append(blocks, text), true
		case open && strings.TrimSpace(line) == "":
			blocks[len(blocks)-1] += "\n"
		default:
			open = false
		}
	}
	return blocks
}

var (
	asksNew = regexp.MustCompile(`^echo "(\w+):\$\(davd passwd\)"`)
	asks    = regexp.MustCompile(`^davd .*--user (\w+) `)
)

// typed returns a block with a password for each command that asks for one.
func typed(block string) string {
	var b strings.Builder
	for line := range strings.Lines(block) {
		if m := asksNew.FindStringSubmatch(line); m != nil {
			line = "password " + m[1] + " | { " + strings.TrimSuffix(line, "\n") + "; }\n"
		}
		if m := asks.FindStringSubmatch(line); m != nil {
			line = "DAVD_PASSWORD=\"$(password " + m[1] + ")\" " + line
		}
		b.WriteString(line)
		if strings.HasPrefix(line, "davd serve") {
			b.WriteString("serving\n")
		}
	}
	return b.String()
}
