package storage

import (
	"context"
	"io/fs"

	"golang.org/x/net/webdav"
)

// slowFile is a File of a slowFS. Close and Seek don't wait, because they are free on the
// storage that it imitates.
type slowFile struct {
	File
	slow *slowFS
}

// slowPropsFile is a slowFile whose File stores dead properties.
type slowPropsFile struct {
	slowFile
	webdav.DeadPropsHolder
}

func (s *slowFS) slowFile(f File) File {
	slow := slowFile{File: f, slow: s}
	if holder, ok := f.(webdav.DeadPropsHolder); ok {
		return slowPropsFile{slowFile: slow, DeadPropsHolder: holder}
	}
	return slow
}

// wait ignores the error, which is always nil because a File's methods have no context.
func (f slowFile) wait() { _ = f.slow.wait(context.Background()) }

func (f slowFile) Read(p []byte) (int, error) {
	f.wait()
	return f.File.Read(p)
}

func (f slowFile) Write(p []byte) (int, error) {
	f.wait()
	return f.File.Write(p)
}

func (f slowFile) Readdir(count int) ([]fs.FileInfo, error) {
	f.wait()
	return f.File.Readdir(count)
}

func (f slowFile) Stat() (fs.FileInfo, error) {
	f.wait()
	return f.File.Stat()
}
