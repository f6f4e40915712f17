package storagetest

import (
	"encoding/xml"
	"errors"
	"io/fs"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// faultFile is a file of a Fault.
type faultFile struct {
	storage.File
	fault *Fault
	name  string
}

// faultPropsFile is a faultFile that stores dead properties.
type faultPropsFile struct {
	faultFile
	holder webdav.DeadPropsHolder
}

func (f *Fault) faultFile(file storage.File, name string) storage.File {
	faulty := faultFile{File: file, fault: f, name: name}
	if holder, ok := file.(webdav.DeadPropsHolder); ok {
		return faultPropsFile{faultFile: faulty, holder: holder}
	}
	return faulty
}

func (f faultFile) Read(p []byte) (int, error) {
	if err := f.fault.before("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f faultFile) Write(p []byte) (int, error) {
	if err := f.fault.before("write", f.name); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f faultFile) Seek(offset int64, whence int) (int64, error) {
	if err := f.fault.before("seek", f.name); err != nil {
		return 0, err
	}
	return f.File.Seek(offset, whence)
}

func (f faultFile) Close() error {
	err := f.fault.before("close", f.name)
	return errors.Join(err, f.File.Close())
}

func (f faultFile) Readdir(count int) ([]fs.FileInfo, error) {
	if err := f.fault.before("readdir", f.name); err != nil {
		return nil, err
	}
	return f.File.Readdir(count)
}

func (f faultFile) Stat() (fs.FileInfo, error) {
	if err := f.fault.before("stat", f.name); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f faultPropsFile) DeadProps() (map[xml.Name]webdav.Property, error) {
	if err := f.fault.before("deadprops", f.name); err != nil {
		return nil, err
	}
	return f.holder.DeadProps()
}

func (f faultPropsFile) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	if err := f.fault.before("patch", f.name); err != nil {
		return nil, err
	}
	return f.holder.Patch(patches)
}
