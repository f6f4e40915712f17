package access

import (
	"context"
	"encoding/xml"
	"io/fs"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// shows reports whether all filters show a member.
func shows(filters []filter, segment string) bool {
	for _, f := range filters {
		if !f.shows(segment) {
			return false
		}
	}
	return true
}

// file returns f, whose name is name, or a file that does less if the principal may do less.
// Otherwise it is f itself, so that the kernel can send and copy its content.
func (v verdict) file(name string, f storage.File) storage.File {
	if f == nil {
		return nil
	}
	holder, holds := f.(webdav.DeadPropsHolder)
	mayPatch := !holds || v.own.Has(storage.RightWrite) || v.staged && v.own.Has(storage.RightCreate)
	if v.filters == nil && mayPatch {
		return f
	}
	if !holds {
		return file{f, v.filters}
	}
	return propsFile{file{f, v.filters}, holder, name, mayPatch}
}

// file is a collection some of whose members are hidden.
type file struct {
	storage.File
	filters []filter
}

// Readdir returns the members that the principal may see. It never returns an empty page in
// the middle, which would look like the end.
func (f file) Readdir(count int) ([]fs.FileInfo, error) {
	for {
		infos, err := f.File.Readdir(count)
		found := len(infos)
		infos = slices.DeleteFunc(infos, func(info fs.FileInfo) bool { return !shows(f.filters, info.Name()) })
		if len(infos) > 0 || err != nil || count <= 0 || found == 0 {
			return infos, err
		}
	}
}

// propsFile is a file that keeps dead properties.
type propsFile struct {
	file
	holder   webdav.DeadPropsHolder
	name     string
	mayPatch bool
}

// DeadProps implements webdav.DeadPropsHolder.
func (f propsFile) DeadProps() (map[xml.Name]webdav.Property, error) { return f.holder.DeadProps() }

// Patch implements webdav.DeadPropsHolder.
func (f propsFile) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	if !f.mayPatch {
		return nil, storage.Refused("proppatch", f.name, false)
	}
	return f.holder.Patch(patches)
}

// filteredListing lists the members that the principal may see.
type filteredListing struct {
	storage.Listing
	filters []filter
}

// Next implements storage.Listing.
func (l filteredListing) Next(ctx context.Context) (storage.Members, error) {
	found, err := l.Listing.Next(ctx)
	if found == nil {
		return nil, err
	}
	return filteredMembers{found, l.filters}, err
}

type filteredMembers struct {
	storage.Members
	filters []filter
}

// Describe implements storage.Members.
func (m filteredMembers) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	start := len(dst)
	dst = m.Members.Describe(ctx, from, to, dst)
	kept := dst[:start]
	for _, entry := range dst[start:] {
		if shows(m.filters, entry.Name) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// replacement is a Replacement for a principal that may only create or only replace files.
type replacement struct {
	storage.Replacement
	name string
	v    verdict
}

// StageName implements storage.Stager.
func (r replacement) StageName() string { return storage.StageName(r.Replacement) }

// Keep implements storage.Keeper.
func (r replacement) Keep(ctx context.Context, sync storage.Sync) error {
	return storage.Keep(ctx, r.Replacement, sync)
}

// Prepare implements storage.Preparer.
func (r replacement) Prepare(ctx context.Context) error { return storage.Prepare(ctx, r.Replacement) }

// Commit implements storage.Replacement.
func (r replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	p.Check = r.v.checkReplace(r.name, p.Check)
	p.Create = p.Create || !r.v.own.Has(storage.RightWrite)
	return r.Replacement.Commit(ctx, p)
}
