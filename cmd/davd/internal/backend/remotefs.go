package backend

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

var _ interface {
	afero.Fs
	afero.Lstater
} = (*remoteFs)(nil)

// remoteFs is an afero.Fs of the directory root of a server. Unlike afero's own, it connects
// again, replaces files in one step, and finds symbolic links.
type remoteFs struct {
	*connection

	root string
}

// at returns the server's name for a name that package aferofs uses.
func (r *remoteFs) at(name string) string { return path.Join(r.root, filepath.ToSlash(name)) }

// call makes one call with a connection.
func call[T any](r *remoteFs, do func(*session) (T, error)) (T, error) {
	s, err := r.session()
	if err != nil {
		var none T
		return none, err
	}
	result, err := do(s)
	return result, s.meaning(err)
}

// does is call for a call that returns only an error.
func (r *remoteFs) does(do func(*session) error) error {
	_, err := call(r, func(s *session) (struct{}, error) { return struct{}{}, do(s) })
	return err
}

func (r *remoteFs) Name() string { return "sftp" }

func (r *remoteFs) Create(name string) (afero.File, error) {
	return r.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (r *remoteFs) Mkdir(name string, _ os.FileMode) error {
	return r.does(func(s *session) error { return s.Mkdir(r.at(name)) })
}

func (r *remoteFs) MkdirAll(name string, _ os.FileMode) error {
	return r.does(func(s *session) error { return s.MkdirAll(r.at(name)) })
}

func (r *remoteFs) Open(name string) (afero.File, error) { return r.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens name. The server decides about the permissions of a new file.
func (r *remoteFs) OpenFile(name string, flag int, _ os.FileMode) (afero.File, error) {
	return call(r, func(s *session) (afero.File, error) {
		full := r.at(name)
		if flag == os.O_RDONLY {
			info, err := s.Lstat(full)
			if err != nil {
				return nil, err
			}
			if info.IsDir() {
				return &remoteDir{session: s, name: full}, nil
			}
		}
		opened, err := s.OpenFile(full, flag)
		if err != nil {
			return nil, err
		}
		return &remoteFile{File: opened, session: s}, nil
	})
}

func (r *remoteFs) Remove(name string) error {
	return r.does(func(s *session) error { return s.Remove(r.at(name)) })
}

func (r *remoteFs) RemoveAll(name string) error {
	return r.does(func(s *session) error { return s.RemoveAll(r.at(name)) })
}

func (r *remoteFs) Rename(from, to string) error {
	return r.does(func(s *session) error { return s.PosixRename(r.at(from), r.at(to)) })
}

func (r *remoteFs) Stat(name string) (os.FileInfo, error) {
	return call(r, func(s *session) (os.FileInfo, error) { return s.Stat(r.at(name)) })
}

// LstatIfPossible describes a symbolic link itself.
func (r *remoteFs) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	info, err := call(r, func(s *session) (os.FileInfo, error) { return s.Lstat(r.at(name)) })
	return info, true, err
}

func (r *remoteFs) Chmod(name string, mode os.FileMode) error {
	return r.does(func(s *session) error { return s.Chmod(r.at(name), mode) })
}

func (r *remoteFs) Chown(name string, uid, gid int) error {
	return r.does(func(s *session) error { return s.Chown(r.at(name), uid, gid) })
}

func (r *remoteFs) Chtimes(name string, accessed, modified time.Time) error {
	return r.does(func(s *session) error { return s.Chtimes(r.at(name), accessed, modified) })
}

// remoteFile is an open file. It fails for ever once its connection is lost.
type remoteFile struct {
	*sftp.File
	session *session
}

func (f *remoteFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	return n, f.readErr(err)
}

func (f *remoteFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	return n, f.readErr(err)
}

// readErr returns io.EOF only for the end of the file, and not for that of the connection.
func (f *remoteFile) readErr(err error) error { return f.session.meaning(err) }

func (f *remoteFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.writeErr(err)
}

func (f *remoteFile) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.File.WriteAt(p, offset)
	return n, f.writeErr(err)
}

func (f *remoteFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// writeErr finds out whether a failure, which the protocol has only one code for, means that
// the disk is full.
func (f *remoteFile) writeErr(err error) error {
	err = f.session.meaning(err)
	if status, ok := errors.AsType[*sftp.StatusError](err); ok && status.FxCode() == sftp.ErrSSHFxFailure {
		if room, statErr := f.session.StatVFS(path.Dir(f.Name())); statErr == nil && room.Bavail == 0 {
			return syscall.ENOSPC
		}
	}
	return err
}

func (f *remoteFile) Close() error { return f.session.meaning(f.File.Close()) }

func (f *remoteFile) Stat() (os.FileInfo, error) {
	info, err := f.File.Stat()
	return info, f.session.meaning(err)
}

func (f *remoteFile) Sync() error { return f.session.meaning(f.File.Sync()) }

func (f *remoteFile) Truncate(size int64) error { return f.session.meaning(f.File.Truncate(size)) }

func (f *remoteFile) Readdir(int) ([]os.FileInfo, error) { return nil, syscall.ENOTDIR }

func (f *remoteFile) Readdirnames(int) ([]string, error) { return nil, syscall.ENOTDIR }

// remoteDir is an open collection. Package aferofs only lists it once, as a whole.
type remoteDir struct {
	session *session
	name    string
}

func (d *remoteDir) Name() string { return d.name }

func (d *remoteDir) Close() error { return nil }

func (d *remoteDir) Readdir(int) ([]os.FileInfo, error) {
	infos, err := d.session.ReadDir(d.name)
	return infos, d.session.meaning(err)
}

func (d *remoteDir) Readdirnames(int) ([]string, error) {
	infos, err := d.Readdir(-1)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

func (d *remoteDir) Stat() (os.FileInfo, error) {
	info, err := d.session.Lstat(d.name)
	return info, d.session.meaning(err)
}

func (*remoteDir) Read([]byte) (int, error)           { return 0, syscall.EISDIR }
func (*remoteDir) ReadAt([]byte, int64) (int, error)  { return 0, syscall.EISDIR }
func (*remoteDir) Seek(int64, int) (int64, error)     { return 0, nil }
func (*remoteDir) Write([]byte) (int, error)          { return 0, syscall.EBADF }
func (*remoteDir) WriteAt([]byte, int64) (int, error) { return 0, syscall.EBADF }
func (*remoteDir) WriteString(string) (int, error)    { return 0, syscall.EBADF }
func (*remoteDir) Sync() error                        { return nil }
func (*remoteDir) Truncate(int64) error               { return fs.ErrInvalid }

var _ io.Closer = (*remoteDir)(nil)
