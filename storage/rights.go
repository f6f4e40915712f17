package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Right is a set of rights that a principal has at a name.
type Right uint8

// The rights.
const (
	// RightList lets the principal list the members of a collection.
	RightList Right = 1 << iota
	// RightRead lets the principal read the content of a file. Properties are visible to
	// everyone who may see the resource.
	RightRead
	// RightCreate lets the principal create a resource where none exists.
	RightCreate
	// RightWrite lets the principal replace the content of a file and set properties.
	RightWrite
	// RightDelete lets the principal remove or rename a resource.
	RightDelete
	// RightLock lets the principal lock a resource.
	RightLock
)

// Presets of rights.
const (
	// RightsNone hides a resource.
	RightsNone Right = 0
	// RightsRead lets the principal list and read.
	RightsRead = RightList | RightRead
	// RightsAdd also lets the principal create resources, but not change or remove any.
	RightsAdd = RightsRead | RightCreate
	// RightsWrite are all rights.
	RightsWrite = RightsAdd | RightWrite | RightDelete | RightLock
)

// rightNames are the names of single rights, in the order of their bits.
var rightNames = [...]string{"list", "read", "create", "write", "delete", "lock"}

// Has reports whether r contains all rights of need.
func (r Right) Has(need Right) bool { return need&^r == 0 }

// String returns the name of a preset, or the names of the single rights with commas. The
// preset "write" and the single right "write" differ: see [ParseRights].
func (r Right) String() string {
	switch r {
	case RightsNone:
		return "none"
	case RightsWrite:
		return "write"
	case RightsAdd:
		return "add"
	case RightsRead:
		return "read"
	}
	var names []string
	for i, name := range rightNames {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// ParseRights returns the rights that names stand for. A single name is a preset (read, add,
// write, none) or one right (list, create, delete, lock). Several names are single rights, so
// "read" and "write" then mean only that one right.
func ParseRights(names ...string) (Right, error) {
	if len(names) == 1 {
		switch names[0] {
		case "none":
			return RightsNone, nil
		case "read":
			return RightsRead, nil
		case "add":
			return RightsAdd, nil
		case "write":
			return RightsWrite, nil
		}
	}
	var rights Right
	for _, name := range names {
		i := slices.Index(rightNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("%q is not a right: use one of read, add, write, none, or a list of %s", name, strings.Join(rightNames[:], ", "))
		}
		rights |= 1 << i
	}
	return rights, nil
}

// Authorizer is an [FS] that restricts what a principal may do.
type Authorizer interface {
	FS

	// Allowed returns nil if the principal of ctx has the rights need at name. See the
	// function [Allowed].
	Allowed(ctx context.Context, name string, need Right, tree bool) error
}

// Allowed returns nil if the principal of ctx ([LoginOf]) has the rights need at name, or may at
// least see name if need is 0. With tree, the principal needs the rights at every name below
// name too, and a symbolic link at name is not followed. The name may be missing.
//
// The error is [ErrRefused]. It is also fs.ErrNotExist if the principal may not know that name
// exists, and fs.ErrPermission otherwise.
//
// Without an [Authorizer], everything is allowed.
func Allowed(ctx context.Context, fsys FS, name string, need Right, tree bool) error {
	if a, ok := fsys.(Authorizer); ok {
		return a.Allowed(ctx, name, need, tree)
	}
	return nil
}

// RightsAt returns the rights of the principal of ctx at name.
func RightsAt(ctx context.Context, fsys FS, name string) Right {
	a, ok := fsys.(Authorizer)
	if !ok || a.Allowed(ctx, name, RightsWrite, false) == nil {
		return RightsWrite
	}
	var rights Right
	for i := range rightNames {
		if a.Allowed(ctx, name, 1<<i, false) == nil {
			rights |= 1 << i
		}
	}
	return rights
}

// ErrRefused says that the principal lacks a right, unlike an error of the backend.
var ErrRefused = errors.New("the user lacks a right")

// refusal is an [ErrRefused].
type refusal struct{ error }

// Is makes a refusal match ErrRefused as well as fs.ErrPermission or fs.ErrNotExist.
func (r refusal) Is(target error) bool { return target == ErrRefused || target == r.error }

// Refused returns the error for a principal that lacks a right for the call op of name. If
// hidden is true, the principal may not know that name exists.
func Refused(op, name string, hidden bool) error {
	err := refusal{fs.ErrPermission}
	if hidden {
		err.error = fs.ErrNotExist
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
