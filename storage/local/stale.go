package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// renewed is an access to a directory that other machines change too. If a collection on the way
// has just been replaced there, an NFS client answers ESTALE. Then the call is made once more.
type renewed struct{ access }

func again(err error) bool { return errors.Is(err, syscall.ESTALE) }

// onceMore makes a call again if the first answer was stale.
func onceMore[T any](call func() (T, error)) (T, error) {
	result, err := call()
	if again(err) {
		return call()
	}
	return result, err
}

func doOnceMore(call func() error) error {
	err := call()
	if again(err) {
		return call()
	}
	return err
}

func (r renewed) Chtimes(name string, accessed, modified time.Time) error {
	return doOnceMore(func() error { return r.access.Chtimes(name, accessed, modified) })
}

func (r renewed) Lstat(name string) (fs.FileInfo, error) {
	return onceMore(func() (fs.FileInfo, error) { return r.access.Lstat(name) })
}

func (r renewed) Mkdir(name string, perm fs.FileMode) error {
	return doOnceMore(func() error { return r.access.Mkdir(name, perm) })
}

func (r renewed) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return onceMore(func() (*os.File, error) { return r.access.OpenFile(name, flag, perm) })
}

func (r renewed) OpenRoot(name string) (*os.Root, error) {
	return onceMore(func() (*os.Root, error) { return r.access.OpenRoot(name) })
}

func (r renewed) Readlink(name string) (string, error) {
	return onceMore(func() (string, error) { return r.access.Readlink(name) })
}

func (r renewed) Remove(name string) error {
	return doOnceMore(func() error { return r.access.Remove(name) })
}

func (r renewed) RemoveAll(name string) error {
	return doOnceMore(func() error { return r.access.RemoveAll(name) })
}

func (r renewed) Rename(oldName, newName string) error {
	return doOnceMore(func() error { return r.access.Rename(oldName, newName) })
}

func (r renewed) Stat(name string) (fs.FileInfo, error) {
	return onceMore(func() (fs.FileInfo, error) { return r.access.Stat(name) })
}

func (r renewed) Symlink(text, name string) error {
	return doOnceMore(func() error { return r.access.Symlink(text, name) })
}
