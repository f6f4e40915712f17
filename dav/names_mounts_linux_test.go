package dav_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// disk is a file system that a test creates and mounts.
type disk struct {
	name string
	// folds says whether the file system folds names.
	folds bool
	// make is the command that creates the file system on {device}; mount mounts it on
	// {dir}.
	make, mount []string
}

var disks = []disk{
	{"exfat", true, []string{"mkfs.exfat", "{device}"}, []string{"mount.exfat-fuse", "{device}", "{dir}"}},
	{"ntfs", true, []string{"mkntfs", "-F", "-q", "-f", "{device}"}, []string{"lowntfs-3g", "-o", "ignore_case", "{device}", "{dir}"}},
	{"ntfs with case", false, []string{"mkntfs", "-F", "-q", "-f", "{device}"}, []string{"ntfs-3g", "{device}", "{dir}"}},
	{"ext4", false, []string{"mkfs.ext4", "-q", "-F", "{device}"}, []string{"mount", "{device}", "{dir}"}},
}

// mountDisk creates d and mounts it on the directory dir until the test ends.
func mountDisk(t *testing.T, d disk, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount " + d.name)
	}
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	device := strings.TrimSpace(runTool(t, "losetup", "--find", "--show", image))
	t.Cleanup(func() { runTool(t, "losetup", "--detach", device) })
	in := strings.NewReplacer("{device}", device, "{dir}", dir)
	for _, command := range [][]string{d.make, d.mount} {
		args := make([]string, len(command))
		for i, arg := range command {
			args[i] = in.Replace(arg)
		}
		runTool(t, args...)
	}
	t.Cleanup(func() { runTool(t, "umount", "--lazy", dir) })
}

// runTool runs a system program and returns its output.
func runTool(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(args[0])
	if err != nil {
		path = "/usr/sbin/" + args[0]
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: \"make deps\" installs it (packages exfatprogs, exfat-fuse, ntfs-3g, e2fsprogs and mount)", args[0])
	}
	out, err := exec.Command(path, args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// openDisk returns a share on d. If below is not "", d is mounted on that collection of
// the share.
func openDisk(t *testing.T, d disk, below string) (fsys storage.FS, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
		t.Fatal(err)
	}
	mountDisk(t, d, filepath.Join(dir, below))
	opened, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened, dir
}

// TestLockedOnDisks tests locks on real file systems, as the root of the share and
// mounted below it. If the file system folds names, a lock protects the resource under
// other spellings. Otherwise it protects only its own name.
func TestLockedOnDisks(t *testing.T) {
	for _, d := range disks {
		for _, below := range []string{"", "disk"} {
			t.Run(d.name+"/"+below, func(t *testing.T) {
				fsys, dir := openDisk(t, d, below)
				root := strings.TrimSuffix("/"+below, "/")
				s := serve(t, fsys, &dav.Handler{}, layout{root + "/Tree/Fé": "old", root + "/Tree/sub/g": "old", root + "/f": "file"})
				s.dir = dir
				s.lockedOnDisk(root, d.folds)
			})
		}
	}
}

func (s *share) lockedOnDisk(root string, folds bool) {
	s.Helper()
	locked, free := 423, 201
	if !folds {
		locked = free
	}
	const patch = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">there</x></prop></set></propertyupdate>`
	if folds {
		s.sends(207, "PROPPATCH", root+"/TREE/SUB/G", patch)
		if a := s.sends(207, "PROPFIND", root+"/Tree/sub/", "", "Depth: 1"); !strings.Contains(a.body, "there") {
			s.Errorf("a property that was set by another spelling is missing: %s", a.body)
		}
	}
	token := s.lock(root + "/Tree")
	s.wants(423, "DELETE", root+"/Tree/sub")
	for _, c := range [][2]string{{"PUT", "/tree/new"}, {"MKCOL", "/tree"}, {"DELETE", "/TREE"}, {"PUT", "/TREE/" + strings.ToUpper("Fé")}, {"LOCK", "/tree"}, {"MOVE", "/TREE"}} {
		want := locked
		body := "new"
		fields := []string{"Destination: " + root + "/moved"}
		switch c[0] {
		case "LOCK":
			body = lockBody
		case "MKCOL":
			body = ""
			if folds {
				want = 405
			}
		case "DELETE", "MOVE":
			body = ""
		}
		if !folds {
			if got := s.send(c[0], root+escape(c[1]), body, fields...); got.status == 423 {
				s.Errorf("%s %s is %d: nothing folds it", c[0], c[1], got.status)
			}
			continue
		}
		s.sends(want, c[0], root+escape(c[1]), body, fields...)
	}
	s.wants(204, "UNLOCK", root+"/Tree", "Lock-Token: <"+token+">")
	if !folds {
		return
	}
	// Two spellings of a missing resource, or with different composition, also have the
	// same key.
	made := s.lockFor(lockBody, root+"/New")
	s.sends(423, "PUT", root+"/NEW", "new")
	s.sendsEither("PUT", root+"/NEW", "new", "If: <"+s.server.URL+root+"/nEw> (<"+made+">)")
	s.wants(201, "MOVE", root+"/Tree", "Destination: "+root+"/tREE")
	if a := s.wants(207, "PROPFIND", root+"/", "Depth: 1"); !strings.Contains(a.body, "/tREE/") && !strings.Contains(a.body, "/tree/") {
		s.Errorf("after the MOVE: %s", a.body)
	}
	s.wants(403, "MOVE", root+"/tREE", "Destination: "+root+"/Tree/sub/in")
	s.sends(204, "PUT", root+escape("/TREE/"+strings.ToUpper("Fé")), "new")
	s.wants(204, "DELETE", root+escape("/tree/"+norm.NFC.String("fé")))
}

// sendsEither sends a request that must succeed with 201 or 204: under another spelling
// a file may have another inode number, so the server may not know that a LOCK created
// it.
func (s *share) sendsEither(method, target, body string, fields ...string) {
	s.Helper()
	if a := s.send(method, target, body, fields...); a.status/100 != 2 {
		s.Errorf("%s %s is %d: %s", method, target, a.status, a.body)
	}
}

// TestReservedOnDisks checks that reserved names can't be reached with another
// spelling.
func TestReservedOnDisks(t *testing.T) {
	for _, d := range disks {
		t.Run(d.name, func(t *testing.T) {
			fsys, dir := openDisk(t, d, "")
			s := serve(t, fsys, &dav.Handler{}, layout{"/.DAV/secret": "secret", "/.davd-x/secret": "secret"})
			s.dir = dir
			for _, name := range []string{"/.dav/secret", "/.Dav/secret", "/.DAVD-X/SECRET", "/.dav./secret", "/DAV~1/secret", "/DAVD-X~1/secret"} {
				s.wants(404, "GET", name)
				if a := s.sends(a403or409(name), "PUT", name, "new"); a.status/100 == 2 {
					t.Errorf("PUT %s is %d", name, a.status)
				}
			}
		})
	}
}

// a403or409 checks the status of a PUT to name. It is 409 if the short name does not
// exist.
func a403or409(name string) int {
	if strings.Contains(name, "~") {
		return 409
	}
	return 403
}
