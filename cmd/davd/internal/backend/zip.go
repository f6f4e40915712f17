package backend

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage/aferofs"
)

// maxZipEntries limits the entries of a ZIP file, because its directory is kept in memory.
const maxZipEntries = 1 << 20

// Zip is a ZIP file, read-only. Content is unpacked while it is read and never kept, however
// large it becomes. Entries with invalid names, such as absolute ones and those with "..",
// don't exist; neither do symbolic links. Of several entries with one name, the first exists,
// unless the name is also that of a collection.
type Zip struct {
	*aferofs.FS
	file *zip.ReadCloser
}

// OpenZip opens a ZIP file. Replacing the file has no effect until it is opened again.
func OpenZip(file string) (*Zip, error) {
	opened, err := zip.OpenReader(file)
	// Entries with insecure names are left out below.
	if errors.Is(err, zip.ErrInsecurePath) {
		err = nil
	}
	if err == nil && len(opened.File) > maxZipEntries {
		err = errors.Join(fmt.Errorf("it has %d entries, and at most %d can be served", len(opened.File), maxZipEntries), opened.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &Zip{FS: aferofs.New(afero.NewReadOnlyFs(newZipFs(&opened.Reader))), file: opened}, nil
}

// Close closes the file.
func (z *Zip) Close() error { return z.file.Close() }

// zipFs is an afero.Fs. Unlike afero's own zipfs, it knows collections that have no entry, and
// keeps no content in memory.
type zipFs struct {
	// entries are all files and collections, by their names.
	entries map[string]*zipEntry
}

// zipEntry is a file or a collection.
type zipEntry struct {
	// file is nil for a collection without an entry.
	file    *zip.File
	base    string
	members []*zipEntry
	isDir   bool
}

func newZipFs(archive *zip.Reader) zipFs {
	z := zipFs{map[string]*zipEntry{"/": {base: "/", isDir: true}}}
	// Collections come first, because they win over files of the same name.
	for _, file := range archive.File {
		name := strings.TrimSuffix(file.Name, "/")
		if !validZipName(name) {
			continue
		}
		if strings.HasSuffix(file.Name, "/") {
			if dir := z.collection("/" + name); dir.file == nil {
				dir.file = file
			}
			continue
		}
		z.collection(path.Dir("/" + name))
	}
	for _, file := range archive.File {
		name := "/" + file.Name
		if z.entries[name] != nil || !file.Mode().IsRegular() || !validZipName(file.Name) {
			continue
		}
		z.add(name, &zipEntry{file: file, base: path.Base(name)})
	}
	return z
}

// maxZipDepth limits how deep collections are nested.
const maxZipDepth = 128

func validZipName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "\\\x00") && strings.Count(name, "/") < maxZipDepth
}

// collection returns the collection name, which exists from then on.
func (z zipFs) collection(name string) *zipEntry {
	entry := z.entries[name]
	if entry == nil {
		entry = &zipEntry{base: path.Base(name), isDir: true}
		z.collection(path.Dir(name))
		z.add(name, entry)
	}
	return entry
}

func (z zipFs) add(name string, entry *zipEntry) {
	z.entries[name] = entry
	parent := z.entries[path.Dir(name)]
	parent.members = append(parent.members, entry)
}

// The methods of fs.FileInfo.

func (e *zipEntry) Name() string { return e.base }
func (e *zipEntry) IsDir() bool  { return e.isDir }
func (e *zipEntry) Sys() any     { return nil }

func (e *zipEntry) Size() int64 {
	if e.isDir {
		return 0
	}
	return int64(min(e.file.UncompressedSize64, math.MaxInt64))
}

func (e *zipEntry) Mode() fs.FileMode {
	if e.isDir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (e *zipEntry) ModTime() time.Time {
	if e.file == nil {
		return time.Time{}
	}
	return e.file.Modified
}

func (z zipFs) Open(name string) (afero.File, error) {
	entry := z.entries[filepath.ToSlash(name)]
	if entry == nil {
		return nil, fs.ErrNotExist
	}
	f := &zipFile{zipEntry: entry, name: name}
	if entry.isDir {
		return f, nil
	}
	var err error
	f.content, err = entry.file.Open()
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (z zipFs) OpenFile(name string, flag int, _ os.FileMode) (afero.File, error) {
	if flag != os.O_RDONLY {
		return nil, syscall.EROFS
	}
	return z.Open(name)
}

func (z zipFs) Stat(name string) (os.FileInfo, error) {
	entry := z.entries[filepath.ToSlash(name)]
	if entry == nil {
		return nil, fs.ErrNotExist
	}
	return entry, nil
}

func (zipFs) Name() string                               { return "zip" }
func (zipFs) Create(string) (afero.File, error)          { return nil, syscall.EROFS }
func (zipFs) Mkdir(string, os.FileMode) error            { return syscall.EROFS }
func (zipFs) MkdirAll(string, os.FileMode) error         { return syscall.EROFS }
func (zipFs) Remove(string) error                        { return syscall.EROFS }
func (zipFs) RemoveAll(string) error                     { return syscall.EROFS }
func (zipFs) Rename(string, string) error                { return syscall.EROFS }
func (zipFs) Chmod(string, os.FileMode) error            { return syscall.EROFS }
func (zipFs) Chown(string, int, int) error               { return syscall.EROFS }
func (zipFs) Chtimes(string, time.Time, time.Time) error { return syscall.EROFS }

// zipFile is an open entry.
type zipFile struct {
	*zipEntry
	name    string
	content io.ReadCloser // nil for a collection
	// at is the offset of content, and wanted the offset for the next Read.
	at, wanted int64
}

func (f *zipFile) Name() string { return f.name }

func (f *zipFile) Stat() (os.FileInfo, error) { return f.zipEntry, nil }

func (f *zipFile) Close() error {
	if f.content == nil {
		return nil
	}
	return f.content.Close()
}

func (f *zipFile) Read(p []byte) (int, error) {
	if f.content == nil {
		return 0, syscall.EISDIR
	}
	if err := f.move(); err != nil {
		return 0, err
	}
	n, err := f.content.Read(p)
	f.at += int64(n)
	f.wanted = f.at
	return n, err
}

// move unpacks up to the wanted offset, from the start if that was passed.
func (f *zipFile) move() error {
	if f.wanted < f.at {
		again, err := f.file.Open()
		if err != nil {
			return err
		}
		_ = f.content.Close()
		f.content, f.at = again, 0
	}
	n, err := io.CopyN(io.Discard, f.content, f.wanted-f.at)
	f.at += n
	return err
}

func (f *zipFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.wanted
	case io.SeekEnd:
		offset += f.Size()
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	f.wanted = offset
	return offset, nil
}

func (f *zipFile) ReadAt(p []byte, offset int64) (int, error) {
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(f, p)
}

func (f *zipFile) Readdir(int) ([]os.FileInfo, error) {
	if !f.isDir {
		return nil, syscall.ENOTDIR
	}
	infos := make([]os.FileInfo, len(f.members))
	for i, member := range f.members {
		infos[i] = member
	}
	return infos, nil
}

func (f *zipFile) Readdirnames(int) ([]string, error) {
	infos, err := f.Readdir(-1)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

func (*zipFile) Write([]byte) (int, error)          { return 0, syscall.EBADF }
func (*zipFile) WriteAt([]byte, int64) (int, error) { return 0, syscall.EBADF }
func (*zipFile) WriteString(string) (int, error)    { return 0, syscall.EBADF }
func (*zipFile) Sync() error                        { return nil }
func (*zipFile) Truncate(int64) error               { return syscall.EROFS }
