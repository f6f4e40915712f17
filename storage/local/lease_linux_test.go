package local_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/storagetest"
)

// Of Linux' fcntl.h.
const setLease = 1024

// TestLeasedFile: another program holds a lease on a file and gives it up when
// the kernel asks for it by SIGIO. OpenFile waits for that, and does not fail.
func TestLeasedFile(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/file": "x"})
	holder, err := os.Open(s.path("/file"))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGIO)
	defer signal.Stop(asked)
	lease := func(kind uintptr) syscall.Errno {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, holder.Fd(), setLease, kind)
		return errno
	}
	if errno := lease(syscall.F_RDLCK); errno != 0 {
		t.Skipf("no leases on this filesystem: %v", errno)
	}
	opened := make(chan error, 1)
	go func() {
		file, err := s.OpenFile(t.Context(), "/file", os.O_RDWR, 0)
		if err == nil {
			err = file.Close()
		}
		opened <- err
	}()
	<-asked
	if errno := lease(syscall.F_UNLCK); errno != 0 {
		t.Error(errno)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
