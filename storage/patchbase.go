package storage

import (
	"errors"
	"io/fs"
)

// ErrChanged is the error of a Replacement that began with the content of a file
// that has become another one since.
var ErrChanged = errors.New("the file was changed meanwhile")

// PatchBase is the file whose content a replacement has begun with. The zero
// value is that of one that began empty.
type PatchBase struct{ version string }

// NewPatchBase returns the base that info describes.
func NewPatchBase(info fs.FileInfo) PatchBase {
	version, _ := Version(info)
	return PatchBase{version}
}

// Check returns ErrChanged if now, nil if nothing is there, is not the base.
func (b PatchBase) Check(now fs.FileInfo) error {
	switch {
	case b.version == "":
		return nil
	case now == nil:
		return ErrChanged
	}
	if version, _ := Version(now); version != b.version {
		return ErrChanged
	}
	return nil
}
