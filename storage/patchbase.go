package storage

import (
	"errors"
	"io/fs"
)

// ErrChanged says that a [Replacement] started with the content of a file that has
// changed since.
var ErrChanged = errors.New("the file has changed meanwhile")

// PatchBase identifies the state of the file whose content a replacement started with.
// The zero value is for a replacement that started empty.
type PatchBase struct{ version string }

// NewPatchBase returns the base for the file that info describes.
func NewPatchBase(info fs.FileInfo) PatchBase {
	version, _ := Version(info)
	return PatchBase{version}
}

// Check returns [ErrChanged] if now is not the base. now is nil if no file exists.
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
