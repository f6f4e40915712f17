package shares

import (
	"context"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
)

// uploadMemory returns the memory that uploads to all shares have in common.
func (s *Shares) uploadMemory() *s3blobs.Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uploads == nil {
		s.uploads = s3blobs.NewMemory(s3blobs.DefaultMemory, s3blobs.DefaultSpool)
	}
	return s.uploads
}

// openObjects opens a share whose content is in objects. It counts its quota itself.
func (s *Shares) openObjects(ctx context.Context, share *config.Share, user string) (*mount.Storage, error) {
	place, err := objects.Parse(strings.ReplaceAll(share.Objects, config.UserSegment, user))
	if err != nil {
		return nil, err
	}
	opened, err := objects.Open(ctx, place, objects.Options{State: s.State, Observer: s.Observer, Uploads: s.uploadMemory(), Limit: s.quotaOf(share), Log: s.Log})
	if err != nil {
		return nil, err
	}
	if !share.ReadOnly {
		opened.Collect(ctx)
	}
	key := counted{share.ID, user}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = make(map[counted]*objects.Storage)
	}
	s.objects[key] = opened
	return &mount.Storage{FS: opened.FS, End: func() error {
		s.mu.Lock()
		if s.objects[key] == opened {
			delete(s.objects, key)
		}
		s.mu.Unlock()
		return opened.Close()
	}}, nil
}
