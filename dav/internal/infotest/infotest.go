// Package infotest has descriptions of resources that don't exist, for tests.
package infotest

import (
	"context"
	"io/fs"
	"time"
)

// Info describes a resource that doesn't exist.
type Info struct {
	Base     string
	Length   int64
	FileMode fs.FileMode
	Modified time.Time
}

// Name implements fs.FileInfo, like the methods below.
func (i Info) Name() string { return i.Base }

// Size returns Length.
func (i Info) Size() int64 { return i.Length }

// Mode returns FileMode.
func (i Info) Mode() fs.FileMode { return i.FileMode }

// ModTime returns Modified.
func (i Info) ModTime() time.Time { return i.Modified }

// IsDir reports whether FileMode is that of a collection.
func (i Info) IsDir() bool { return i.FileMode.IsDir() }

// Sys returns nil.
func (i Info) Sys() any { return nil }

// Tagged is an Info with its own entity tag and content type.
type Tagged struct {
	Info

	Tag, Type string
	Err       error
}

// ETag implements webdav.ETager.
func (i Tagged) ETag(context.Context) (string, error) { return i.Tag, i.Err }

// ContentType implements webdav.ContentTyper.
func (i Tagged) ContentType(context.Context) (string, error) { return i.Type, i.Err }
