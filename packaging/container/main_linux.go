// Command container starts davd in a container. It makes the user and group of PUID and PGID
// the owners of the state, becomes that user, sets UMASK, and replaces itself by davd. With the
// argument "health" it reports whether davd answers.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	program = "/usr/bin/davd"
	state   = "/var/lib/davd"
	// patience is how long davd may take to answer a health check.
	patience = 5 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "davd container: "+err.Error())
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 1 && args[0] == "health" {
		return health(os.Getenv("HEALTH_URL"))
	}
	u, err := parseUser(os.Getenv)
	if err != nil {
		return err
	}
	if err := u.become(os.Getuid()); err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"serve"}
	}
	return syscall.Exec(program, append([]string{"davd"}, args...), os.Environ()) //nolint:gosec // the arguments are those of the operator
}

// user is the user that davd runs as.
type user struct {
	uid, gid int
	// umask is -1 to keep that of the container.
	umask int
}

const (
	defaultID = 1000
	maxID     = 1<<31 - 1
)

// parseUser reads PUID, PGID and UMASK.
func parseUser(getenv func(string) string) (u user, err error) {
	u = user{defaultID, defaultID, -1}
	for _, v := range []struct {
		name string
		base int
		max  uint64
		to   *int
	}{{"PUID", 10, maxID, &u.uid}, {"PGID", 10, maxID, &u.gid}, {"UMASK", 8, 0o777, &u.umask}} {
		text := getenv(v.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, v.base, 32)
		if err != nil || n > v.max {
			return u, fmt.Errorf("%s: %q is not a number in base %d, up to %s", v.name, text, v.base, strconv.FormatUint(v.max, v.base))
		}
		*v.to = int(n)
	}
	return u, nil
}

// become sets the umask and, if the process runs as root, gives the state to u and becomes u.
func (u user) become(now int) error {
	if u.umask >= 0 {
		syscall.Umask(u.umask)
	}
	if now != 0 {
		return nil // the container was started as another user
	}
	if err := u.own(state); err != nil {
		return err
	}
	return errors.Join(syscall.Setgroups([]int{u.gid}), syscall.Setgid(u.gid), syscall.Setuid(u.uid))
}

// own makes u the owner of dir and of everything in it. A new volume belongs to root, and PUID
// may change. The shares are never touched.
func (u user) own(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) == u.uid && int(owner.Gid) == u.gid {
			return nil
		}
		return root.Lchown(name, u.uid, u.gid)
	})
}

// health reports whether a server answers at the URL. That it asks for a password is fine. The
// certificate is for another name than this one.
func health(url string) error {
	if url == "" {
		url = "http://127.0.0.1:8080/"
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, url, http.NoBody) //nolint:gosec // the URL is the of the operator
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // no secret is sent
	response, err := client.Do(r)                                                                              //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
