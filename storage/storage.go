// Package storage is the contract between davd and whatever holds the data.
//
// A backend implements [FS], the five methods of
// golang.org/x/net/webdav.FileSystem, and nothing else: whatever plugs into
// x/net/webdav plugs into davd. An ability beyond those five is an optional
// interface ([Lister], [Lstater], [Canonicaler], [Remover], [BatchRemover], [FileReplacer],
// [LinkCopier], [TimeSetter], [BirthTimer], [Spacer], [DeadPropsReader]) together
// with a function of the interface's method name that falls back on the five when
// the interface is missing. Callers use the functions and never type-assert.
//
// # Names
//
// A name is an absolute, slash-separated, clean path such as "/" or
// "/photos/2024"; [Clean] makes one. Names are bytes: a backend neither
// decodes nor normalises them. Names with a segment for which [Reserved] is
// true belong to davd itself; the handler keeps clients away from them.
//
// # Errors
//
// Errors are *fs.PathError (or *os.LinkError) that carry the name, never a
// path of the server's disk, and match with errors.Is:
//
//   - fs.ErrNotExist: the resource, or its parent, does not exist. A symbolic
//     link whose target is missing or outside the share is reported so too.
//   - fs.ErrExist: Mkdir of something that exists, Remove of a collection with
//     members, Rename onto a collection with members.
//   - fs.ErrPermission: the backend refuses.
//   - errors.ErrUnsupported or syscall.EXDEV from Rename: this entry can't be
//     renamed to there; copying it and removing the source may still work.
//   - syscall.ENOSPC, syscall.EDQUOT: no room.
//   - the context's error when ctx ended first.
package storage

import (
	"path"
	"strings"

	"golang.org/x/net/webdav"
)

// FS is a tree of files. It is x/net's webdav.FileSystem under the name that
// the rest of davd uses:
//
//	Mkdir(ctx context.Context, name string, perm os.FileMode) error
//	OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (File, error)
//	RemoveAll(ctx context.Context, name string) error
//	Rename(ctx context.Context, oldName, newName string) error
//	Stat(ctx context.Context, name string) (os.FileInfo, error)
//
// Each has the semantics of the os package's function of the same name on a
// POSIX system, with three additions: Mkdir and OpenFile never create a
// missing parent; Rename never replaces a collection that has members; the
// root can't be removed or renamed. All are safe for concurrent use.
type FS = webdav.FileSystem

// File is an open file or collection of an [FS].
type File = webdav.File

// Clean returns name in the form that this package uses: absolute, no empty,
// "." or ".." segments, no trailing slash except for the root.
func Clean(name string) string {
	if name == "" || name[0] != '/' {
		name = "/" + name
	}
	if clean(name) {
		return name
	}
	return path.Clean(name)
}

// clean reports whether name, which begins with a slash, is sure to be clean. It is
// cheaper than path.Clean, which long names would feel.
func clean(name string) bool {
	return len(name) == 1 ||
		name[len(name)-1] != '/' && !strings.Contains(name, "//") && !strings.Contains(name, "/.")
}
