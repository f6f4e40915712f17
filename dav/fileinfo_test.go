package dav

import (
	"context"
	"io/fs"
	"time"
)

// fileInfo describes a resource that doesn't exist.
type fileInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.modified }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

// taggedInfo is a fileInfo with its own entity tag and content type.
type taggedInfo struct {
	fileInfo
	etag, contentType string
	err               error
}

func (i taggedInfo) ETag(context.Context) (string, error)        { return i.etag, i.err }
func (i taggedInfo) ContentType(context.Context) (string, error) { return i.contentType, i.err }
