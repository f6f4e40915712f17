// Package storage is the contract between davd and a backend, which stores the data.
//
// A backend must implement only [FS], the five methods of
// golang.org/x/net/webdav.FileSystem. So any backend for x/net/webdav works with davd.
//
// # Capabilities
//
// A backend that can do more implements optional interfaces. For each of them this
// package has a function with the name of the interface's method, which calls the
// method or, if the backend lacks it, does what the last column says. Callers use these
// functions and never type-assert.
//
//	Interface        Function       Purpose                            Without the interface
//	---------------  -------------  ---------------------------------  ---------------------------------
//	Authorizer       Allowed        tell whether a principal has a     everything is allowed
//	                                right at a name
//	Canonicaler      Canonical      find the one key of a resource     each name is a resource of its
//	                                that has several names (symbolic   own, with its own locks and
//	                                links, folded names)               properties
//	Copier           CopyMembers    copy members of a collection,      CopyEach: reads and writes the
//	                                perhaps to another FS, for         content; a COPY reports an error
//	                                example by sharing blocks, and     for each symbolic link
//	                                symbolic links as links
//	CopyReceiver     CopyMembers    know about copies that another     the other FS copies without it
//	                                FS makes in this one
//	DeadPropsReader  ReadDeadProps  read dead properties without       opens the file and asks it
//	                                opening the file                   (webdav.DeadPropsHolder)
//	Divider          Part           have parts with space of their     everything is one part
//	                                own, such as shares
//	FileReplacer     ReplaceFile    put a complete file in place in    StageFile: writes to a reserved
//	                                one step, flushed to the disk if   name and renames it; flushes
//	                                asked                              nothing, and a kill leaves the
//	                                                                   reserved name
//	Holder           Hold           find a collection again after      errors.ErrUnsupported: what davd
//	                                another process has renamed it,    created there may stay behind,
//	                                and identify its storage after a   and recovery can't tell another
//	                                restart                            storage of the same name
//	Lister           List           find the members of a collection   uses Readdir, which describes the
//	                                while several goroutines describe  members one by one
//	                                them
//	Lstater          Lstat          describe a symbolic link itself    Stat, and for a collection a look
//	                                                                   into the listing of its parent
//	Pinner           Pin            keep names and storage together    names always stand for the
//	                                during an operation                same storage
//	Rationer         Rationed       tell that a quota limits the room  false: a tree is copied until the
//	                                                                   room is used up
//	ReadOpener       OpenRead       open a file and describe it in     OpenFile, then Stat of the file
//	                                one call
//	RemovalChecker   CheckRemoval   know trees that must stay, such    every tree may be removed
//	                                as the places of other FS
//	Remover          RemoveMembers  remove members of a collection,    checks that a collection is empty,
//	                                and never one that has members     then RemoveAll; a member created
//	                                itself                             in between is lost
//	RenameReceiver   RenameWith     know about what another FS         the other FS can't rename into it
//	                                renames into this one
//	Renamer          RenameWith     swap two names in one step,        errors.ErrUnsupported: COPY and
//	                                rename to another FS, or only to   MOVE rename twice, and the
//	                                a vacant name                      destination is briefly missing;
//	                                                                   a MOVE to another FS copies
//	ShownLister      ListShown      leave members that clients don't   List: clients see all members
//	                                see out of a listing
//	Spacer           Space          tell how much room is used and     errors.ErrUnsupported: no quota
//	                                available                          properties, and a PUT that is too
//	                                                                   large fails only while it writes
//	TimeSetter       SetTimes       set modification times             errors.ErrUnsupported: copies
//	                                                                   have new times, and clients
//	                                                                   can't set any
//	Transactor       Transacts      change names in a transaction of   false: each call is a change of
//	                                the state                          its own
//	TreeCopier       CopyTree       copy a tree without reading its    errors.ErrUnsupported: members
//	                                content                            are copied one by one
//	TreeRemover      RemoveTree     remove a tree in one step          errors.ErrUnsupported: members
//	                                                                   are removed one by one
//
// Other values may have optional methods too:
//
//   - A [File] may be a webdav.DeadPropsHolder, which stores dead properties, or a [Sender].
//   - A [Replacement] may be an io.ReaderFrom, a [Stager], a [Keeper] or a [Preparer].
//   - An fs.FileInfo may be a webdav.ETager or a webdav.ContentTyper, and the value that
//     its Sys returns may implement [Facts] and have a method Direct() bool (see [Direct]).
//
// # Decorators
//
// A decorator is an FS around another one. It forwards a capability by implementing the
// interface with the function of the same name. If it doesn't, the function falls back to
// calls of the decorator, never to the FS inside. So a decorator that forwards nothing
// works, and one that restricts access can't be bypassed, but both are slower. See package
// intercept for one that forwards everything.
//
// # Names
//
// A name is an absolute, slash-separated, clean path such as "/" or "/photos/2024";
// [Clean] returns one. Names are bytes: a backend neither decodes nor normalises them.
// If [Reserved] returns true for a name, the name belongs to davd, and the handler keeps
// clients away from it.
//
// # Errors
//
// Errors are *fs.PathError or *os.LinkError. They contain the name that the caller used,
// never a path of the server's disk. They match with errors.Is:
//
//   - fs.ErrNotExist: the resource or its parent doesn't exist. A symbolic link whose
//     target is missing or outside the share is reported the same way.
//   - fs.ErrExist: Mkdir of a name that exists, Remove of a collection with members,
//     Rename onto a collection with members.
//   - fs.ErrPermission: the backend refuses.
//   - errors.ErrUnsupported or syscall.EXDEV from Rename: the backend can't rename this
//     entry to that name. Copying it and removing the source may still work.
//   - ErrUnavailable: the storage of the name can't be reached at present.
//   - syscall.ENOSPC, syscall.EDQUOT: no room is left.
//   - the context's error if ctx ended first.
package storage

import (
	"path"

	"golang.org/x/net/webdav"
)

// FS is a tree of files. It is x/net's webdav.FileSystem under the name that the rest of
// davd uses:
//
//	Mkdir(ctx context.Context, name string, perm os.FileMode) error
//	OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (File, error)
//	RemoveAll(ctx context.Context, name string) error
//	Rename(ctx context.Context, oldName, newName string) error
//	Stat(ctx context.Context, name string) (os.FileInfo, error)
//
// Each method behaves like the function of the same name in package os on a POSIX system,
// with three additions: Mkdir and OpenFile never create a missing parent; Rename never
// replaces a collection that has members; the root can't be removed or renamed. All
// methods are safe for concurrent use.
type FS = webdav.FileSystem

// File is an open file or collection of an [FS].
type File = webdav.File

// Clean returns name in the form that this package uses: an absolute path without empty,
// "." or ".." segments, and without a trailing slash unless it is the root.
func Clean(name string) string {
	if name == "" || name[0] != '/' {
		name = "/" + name
	}
	return path.Clean(name)
}
