package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// A storage is where the files of a site are.
type storage interface {
	// argument returns what a node serves.
	argument(n *node) string
	// plant creates files, and the collections that they are in.
	plant(files map[string]string) error
	// read returns the content of a file. The error matches fs.ErrNotExist.
	read(name string) (string, error)
	// leftovers returns what must not exist when all changes have ended.
	leftovers() ([]string, error)
}

// A directory is content that all nodes reach by the same path.
type directory string

func (d directory) argument(*node) string { return string(d) }

func (d directory) plant(files map[string]string) error {
	for name, text := range files {
		file := filepath.Join(string(d), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (d directory) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(string(d), name))
	return string(text), err
}

func (d directory) leftovers() (names []string, err error) {
	err = filepath.WalkDir(string(d), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".davd-") {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// objects are content in S3, with the names in the database. They are only reached through davd.
type objects struct {
	site             *site
	endpoint, bucket string
	wire             *wire
}

// place returns the value of --storage.
func (o *objects) place() string { return "s3://" + o.bucket + "/files?endpoint=" + o.endpoint }

// argument returns "": the place is a flag.
func (o *objects) argument(*node) string { return "" }

func (o *objects) plant(files map[string]string) error {
	made := map[string]bool{"/": true}
	for name, text := range files {
		var dirs []string
		for dir := path.Dir("/" + name); !made[dir]; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
			made[dir] = true
		}
		for i := range dirs {
			if err := o.insist("MKCOL", dirs[len(dirs)-1-i], "", http.StatusCreated, http.StatusMethodNotAllowed); err != nil {
				return err
			}
		}
		if err := o.insist(put, "/"+name, text, http.StatusCreated, http.StatusNoContent); err != nil {
			return err
		}
	}
	return nil
}

// insist repeats a request until it has one of the wanted results.
func (o *objects) insist(method, name, body string, want ...int) error {
	return await(patience, nil, func() error {
		a := o.wire.send(context.Background(), longestRequest, method, name, nil, body)
		for _, status := range want {
			if a.status == status {
				return nil
			}
		}
		return fmt.Errorf("%s %s: status %d, want one of %v: %.300s", method, name, a.status, want, a.body)
	})
}

func (o *objects) read(name string) (text string, err error) {
	err = await(patience, nil, func() error {
		a := o.wire.send(context.Background(), longestRequest, http.MethodGet, "/"+name, nil, "")
		switch a.status {
		case http.StatusOK:
			text = a.body
		case http.StatusNotFound:
			err = fs.ErrNotExist
		default:
			return fmt.Errorf("GET /%s: status %d: %.300s", name, a.status, a.body)
		}
		return nil
	})
	return text, err
}

// leftovers asks the database for reserved names, and lets davd compare names and objects.
func (o *objects) leftovers() ([]string, error) {
	reserved, err := o.site.database.query("SELECT 'reserved name', fold FROM entries WHERE reserved AND parent NOT IN (SELECT trash FROM volumes)")
	if err != nil || len(reserved) > 0 {
		return reserved, err
	}
	return nil, o.check()
}

// check runs davd storage check, which must find no name without its object.
func (o *objects) check() error {
	n := o.site.nodes[0]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", namespace(n.number), davdBinary, "storage", "check", "--storage", o.place())
	cmd.Env = append(os.Environ(), bucketEnv()...)
	cmd.Env = append(cmd.Env, "DAVD_STATE="+o.site.database.url(n), "STATE_DIRECTORY="+n.own)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("davd storage check: %w\n%s", err, out.String())
	}
	return nil
}

// newDirectory returns an empty directory.
func newDirectory(t *testing.T) storage {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "share")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return directory(dir)
}
