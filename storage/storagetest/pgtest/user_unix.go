//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns how a program runs as a user other than root, and a function that gives
// a file to that user.
func unprivileged() (as *syscall.SysProcAttr, own func(path string) error, err error) {
	as = &syscall.SysProcAttr{Setpgid: true} // An interrupt at the terminal is for the tests.
	if os.Geteuid() != 0 {
		return as, func(string) error { return nil }, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: install Debian's package postgresql (.ci/deps does it)", err)
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if errUID != nil || errGID != nil {
		return nil, nil, fmt.Errorf("the user postgres has the ids %s and %s", u.Uid, u.Gid)
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, func(path string) error { return os.Chown(path, uid, gid) }, nil
}
