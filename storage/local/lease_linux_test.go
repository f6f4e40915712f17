package local_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/storagetest"
)

// setLease is F_SETLEASE from Linux' fcntl.h.
const setLease = 1024

// TestLeasedFile checks that OpenFile waits for the lease to end and doesn't fail.
func TestLeasedFile(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/file": "x"})
	whileLeased(t, s.path("/file"), func() error {
		file, err := s.OpenFile(t.Context(), "/file", os.O_RDWR, 0)
		if err == nil {
			err = file.Close()
		}
		return err
	})
}

// whileLeased runs call, which must succeed, while another open file holds a lease on path that
// prevents opening it. It gives up the lease when the kernel asks for that with SIGIO.
func whileLeased(t *testing.T, path string, call func() error) {
	t.Helper()
	holder, err := os.OpenFile(path, os.O_RDWR, 0)
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
	if errno := lease(syscall.F_WRLCK); errno != 0 {
		t.Skipf("this filesystem has no leases: %v", errno)
	}
	returned := make(chan error, 1)
	go func() { returned <- call() }()
	select {
	case <-asked:
	case err := <-returned:
		t.Fatalf("the call did not wait: %v", err)
	}
	if errno := lease(syscall.F_UNLCK); errno != 0 {
		t.Error(errno)
	}
	if err := <-returned; err != nil {
		t.Error(err)
	}
}
