// Package names keeps the names of files in a database, and says which object has the content of
// each file.
//
// Each file or collection is a row, which knows its parent. So a MOVE changes one row, whatever
// its size, and a removed tree is detached by changing one row. What was detached is removed in
// the background, with [Space.Sweep].
//
// Every method is one transaction. If ctx has a transaction of the database
// (cluster.Claim.Transaction), the method belongs to that instead. No method relies on an error
// of the database for its result, because PostgreSQL ends a transaction with each error.
//
// Names are clean storage names, such as "/photos/2024". They are unique in their normal form C.
// Errors are those of package storage.
package names

import (
	"context"
	"iter"
	"time"
)

// Node is a file or collection.
type Node struct {
	// ID is unique in the database, and never used again. A collection keeps it as long as it
	// exists. A file gets a new one with each new content.
	ID     int64
	Parent int64 // 0 for the root
	Name   string
	Dir    bool
	// Blob is the key of the object with the content; "" if the content is in the database, or
	// empty.
	Blob string
	Size int64 // in bytes
	// Perm are permission bits.
	Perm uint32
	// Modified and Created are as clients set them. Changed is the time of the last change by the
	// clock of the process that made it. They are exact to the nanosecond.
	Modified, Changed, Created time.Time
	// SHA256 is the checksum of the content, or nil.
	SHA256 []byte
}

// Content says where new content is.
type Content struct {
	// Blob is the key of an object that was finished, which no other node has. If it is "", Data
	// has the content.
	Blob   string
	Data   []byte
	Size   int64
	SHA256 []byte
}

// Placing says how Put puts content in place.
type Placing struct {
	Perm     uint32 // of a new file; a file that is replaced keeps its own
	Modified time.Time
	// Create makes Put fail with fs.ErrExist if the name exists.
	Create bool
	// Rebuilt says that the object need not be of an epoch that is not over: it has outlived the
	// database that knew it.
	Rebuilt bool
	// Check, if not nil, is called with the file that will be replaced, or nil. Put returns its
	// error unchanged, and changes nothing. Check must not use the database unless ctx has a
	// transaction, because Put holds a connection.
	Check func(ctx context.Context, old *Node) error
}

// Store is what package objectfs needs of a name space. [Space] implements it.
type Store interface {
	// Find returns the node name.
	Find(ctx context.Context, name string) (Node, error)
	// Open returns the node name together with its content, if that is in the database: one
	// statement, because a GET needs both.
	Open(ctx context.Context, name string) (Node, []byte, error)
	// Members returns the members of the collection id whose names, in normal form, are greater
	// than after, in byte order: at most limit.
	Members(ctx context.Context, id int64, after string, limit int) ([]Node, error)

	// Mkdir makes a collection. It fails with fs.ErrExist, or fs.ErrNotExist without a parent.
	Mkdir(ctx context.Context, name string, perm uint32) (Node, error)
	// Put makes a file, or replaces its content. It fails with syscall.EISDIR if name is a
	// collection, fs.ErrNotExist without a parent, syscall.EDQUOT if the quota is exceeded, and
	// cluster.ErrFenced if the epoch of the object is over, so that the object may be gone. The
	// parent of a new file is modified now.
	Put(ctx context.Context, name string, c Content, p Placing) (Node, error)
	// Rename gives a file or collection another name. With replace, what has the new name is
	// detached, in the same transaction: but fs.ErrExist if that is a collection with members,
	// syscall.EISDIR if a file would replace a collection, and syscall.ENOTDIR if a collection
	// would replace a file. To give a node the name that it has, perhaps in another spelling, is no
	// replacement. Without replace, it fails with fs.ErrExist. It fails with storage.ErrOverlap or syscall.EINVAL if
	// the new name is below the old one.
	Rename(ctx context.Context, from, to string, replace bool) error
	// Swap swaps two files or collections.
	Swap(ctx context.Context, a, b string) error
	// Detach removes a file or a tree. With empty, a collection with members stays, and the error
	// matches fs.ErrExist.
	Detach(ctx context.Context, name string, empty bool) error
	// DetachMembers is Detach with empty for members of a collection. It returns the errors in their order.
	DetachMembers(ctx context.Context, name string, members []string) ([]error, error)
	// SetTimes sets the modification time of name, and its creation time unless that is zero.
	SetTimes(ctx context.Context, name string, modified, created time.Time) error
	// Copy copies a tree, without the members with reserved names, to the new name to. It takes
	// several transactions with up to 5,000 nodes, and calls copied after each. Files share their objects.
	Copy(ctx context.Context, from, to string, zeroDepth bool, copied func(members, bytes int64) error) error
	// CopyMembers copies files of the collection from to the collection to. It returns the errors in their order.
	CopyMembers(ctx context.Context, from, to string, members []string, as string) ([]error, error)

	// Usage returns how many bytes the files have, without those that were detached and swept.
	Usage(ctx context.Context) (int64, error)
	// SetLimit sets the quota in bytes; 0 means no limit.
	SetLimit(limit int64)
	// Root is the ID of the root.
	Root() int64
	// Volume is the id of the name space.
	Volume() string
	// Epoch returns the epoch with which the keys of new objects begin: "<epoch>-<random>". It
	// fails if this process can't make changes at present.
	Epoch() (string, error)
	// InTransaction reports whether ctx has a transaction of the database, so that a change is
	// not final when its method returns, and that only one method may run at a time.
	InTransaction(ctx context.Context) bool
}

// Collecting is what the collector needs of a name space.
type Collecting interface {
	// Sweep removes detached nodes, at most limit of them, and returns how many those were.
	Sweep(ctx context.Context, limit int) (int, error)
	// Loose dooms objects that no node has had since before the given time, at most limit, and returns
	// their keys, together with those that were doomed before. Nothing can refer to a doomed object.
	Loose(ctx context.Context, before time.Time, limit int) ([]string, error)
	// Removed forgets doomed objects, which the caller has removed.
	Removed(ctx context.Context, keys []string) error
	// Orphans returns those of the keys that no row knows and whose epoch is over: nothing can
	// refer to them any more.
	Orphans(ctx context.Context, keys []string) ([]string, error)
	// Disown dooms those of the keys that no row knows, although their epoch is not over, and
	// returns them. The caller puts none of them any more. But a transaction that has put one may not have
	// ended yet: Disown waits for it, or leaves the key out. A Put of a doomed object fails.
	Disown(ctx context.Context, keys []string) ([]string, error)
	// Objects returns all objects that nodes refer to, in the order of their keys, with the name of
	// one of the files.
	Objects(ctx context.Context) iter.Seq2[Object, error]
	// Flaws calls found with each contradiction between the tables. Names may be changed meanwhile.
	Flaws(ctx context.Context, found func(Flaw)) error
	// Repair corrects those flaws that need no backup for that.
	Repair(ctx context.Context) error
	// Known reports whether a file has the object key.
	Known(ctx context.Context, key string) (bool, error)
	// Lead makes this process the only collector, and reports whether it is. It stays so until its epoch is over.
	Lead(ctx context.Context) (bool, error)
}

// Object is an object as the name space knows it.
type Object struct {
	Key  string
	Size int64
	Name string // of one of the files that have it
	// SHA256 is the checksum of the content, or nil.
	SHA256 []byte
}
