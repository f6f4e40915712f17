package local

import (
	"io/fs"
	"os"
	"time"
)

// guarded is an access that passes calls to another one.
type guarded struct {
	calls access
	// at returns the name for the call, or an error that forbids it. link says that
	// the call concerns a symbolic link at the end of name itself.
	at func(name string, link bool) (string, error)
}

// guard makes one call with the name that at returns.
func guard[T any](g *guarded, name string, link bool, call func(name string) (T, error)) (T, error) {
	name, err := g.at(name, link)
	if err != nil {
		var none T
		return none, err
	}
	return call(name)
}

// do is guard for a call that returns only an error.
func (g *guarded) do(name string, link bool, call func(name string) error) error {
	name, err := g.at(name, link)
	if err != nil {
		return err
	}
	return call(name)
}

func (g *guarded) Close() error { return g.calls.Close() }

func (g *guarded) Chtimes(name string, accessed, modified time.Time) error {
	return g.do(name, false, func(name string) error { return g.calls.Chtimes(name, accessed, modified) })
}

func (g *guarded) Lstat(name string) (fs.FileInfo, error) {
	return guard(g, name, true, g.calls.Lstat)
}

func (g *guarded) Mkdir(name string, perm fs.FileMode) error {
	return g.do(name, true, func(name string) error { return g.calls.Mkdir(name, perm) })
}

func (g *guarded) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return guard(g, name, false, func(name string) (*os.File, error) { return g.calls.OpenFile(name, flag, perm) })
}

func (g *guarded) OpenRoot(name string) (*os.Root, error) {
	return guard(g, name, false, g.calls.OpenRoot)
}

func (g *guarded) Readlink(name string) (string, error) {
	return guard(g, name, true, g.calls.Readlink)
}

func (g *guarded) Remove(name string) error { return g.do(name, true, g.calls.Remove) }

func (g *guarded) RemoveAll(name string) error { return g.do(name, true, g.calls.RemoveAll) }

func (g *guarded) Rename(oldName, newName string) error {
	newName, err := g.at(newName, true)
	if err != nil {
		return err
	}
	return g.do(oldName, true, func(oldName string) error { return g.calls.Rename(oldName, newName) })
}

func (g *guarded) Stat(name string) (fs.FileInfo, error) {
	return guard(g, name, false, g.calls.Stat)
}

func (g *guarded) Symlink(text, name string) error {
	return g.do(name, true, func(name string) error { return g.calls.Symlink(text, name) })
}
