package interim

import (
	"context"
	"io"
	"os"

	"golang.org/x/net/webdav"
)

// Count returns fs with a count of what passes through it, for the interim responses of
// the request that a call belongs to ([CounterOf] its context). Calls for other requests
// go straight to fs.
//
// A listing (PROPFIND, REPORT or SEARCH) counts the resources that it goes on from. Other
// requests count files and collections that they create, rename or remove, and the bytes
// that they write. fs removes and renames a tree in one call, so such a tree counts as one.
func Count(fs webdav.FileSystem) webdav.FileSystem { return counting{fs} }

type counting struct{ webdav.FileSystem }

// Mkdir implements webdav.FileSystem, like the methods below.
func (c counting) Mkdir(ctx context.Context, name string, perm os.FileMode) error {
	return changed(ctx, c.FileSystem.Mkdir(ctx, name, perm))
}

func (c counting) RemoveAll(ctx context.Context, name string) error {
	CounterOf(ctx).Begin(name)
	return changed(ctx, c.FileSystem.RemoveAll(ctx, name))
}

func (c counting) Rename(ctx context.Context, oldName, newName string) error {
	CounterOf(ctx).Begin(oldName)
	return changed(ctx, c.FileSystem.Rename(ctx, oldName, newName))
}

// changed counts the change of one resource, unless it failed.
func changed(ctx context.Context, err error) error {
	if counter := CounterOf(ctx); counter != nil && !counter.lists && err == nil {
		counter.Add(1, 0)
	}
	return err
}

func (c counting) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	if counter := CounterOf(ctx); counter != nil && counter.lists {
		if counter.root.Load() != nil {
			counter.Add(1, 0) // the last one
		}
		counter.Begin(name)
	}
	return c.FileSystem.Stat(ctx, name)
}

const writeFlags = os.O_WRONLY | os.O_RDWR | os.O_CREATE | os.O_TRUNC | os.O_APPEND

func (c counting) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	file, err := c.FileSystem.OpenFile(ctx, name, flag, perm)
	counter := CounterOf(ctx)
	if err != nil || counter == nil {
		return file, err
	}
	writes := flag&writeFlags != 0
	if !writes && !counter.lists || counter.root.Load() == nil {
		counter.Begin(name)
	}
	counted := &countedFile{File: file, counter: counter, member: writes && !counter.lists}
	if holder, ok := file.(webdav.DeadPropsHolder); ok {
		return &countedHolder{counted, holder}, nil
	}
	return counted, nil
}

// countedFile counts the bytes that are written to a file, and the file itself when it is
// closed.
type countedFile struct {
	webdav.File

	counter *Counter
	// member says that the file counts as a member.
	member bool
}

// countedHolder is a countedFile that keeps its own dead properties.
type countedHolder struct {
	*countedFile
	webdav.DeadPropsHolder
}

func (f *countedFile) Close() error {
	err := f.File.Close()
	if f.member && err == nil {
		f.member = false
		f.counter.Add(1, 0)
	}
	return err
}

func (f *countedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.counter.Add(0, int64(n))
	return n, err
}

// countedStep is how much is copied before it is counted, in bytes.
const countedStep = 8 << 20

// ReadFrom implements io.ReaderFrom. It lets the file copy by itself, if it can.
func (f *countedFile) ReadFrom(src io.Reader) (int64, error) {
	to, ok := f.File.(io.ReaderFrom)
	if !ok {
		return io.Copy(onlyWriter{f}, onlyReader{src})
	}
	var total int64
	for {
		n, err := to.ReadFrom(&io.LimitedReader{R: inner(src), N: countedStep})
		total += n
		f.counter.Add(0, n)
		if err != nil || n < countedStep {
			return total, err
		}
	}
}

// WriteTo implements io.WriterTo, so that io.Copy copies to a counted file with ReadFrom,
// and to anything else as it would copy f itself.
func (f *countedFile) WriteTo(dst io.Writer) (int64, error) {
	switch to := dst.(type) {
	case *countedFile:
		return to.ReadFrom(f.File)
	case *countedHolder:
		return to.ReadFrom(f.File)
	}
	return io.Copy(dst, f.File)
}

// inner returns the file that a counted file decorates, and any other reader itself.
func inner(r io.Reader) io.Reader {
	switch f := r.(type) {
	case *countedFile:
		return f.File
	case *countedHolder:
		return f.File
	}
	return r
}

type onlyReader struct{ io.Reader }
