// Package shares opens the shares of a configuration, and makes one storage of them.
package shares

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/quota"
	"github.com/davd/davd/storage/strays"
)

// Identities remembers the identity of the storage of each share (storage.Identity). A
// sqlstate.DB does.
type Identities interface {
	ShareIdentity(ctx context.Context, id string) (string, error)
	SetShareIdentity(ctx context.Context, id, identity string) error
}

// Shares are the shares of a configuration. The zero value of Identities and Strays means
// that nothing is remembered.
type Shares struct {
	// FS contains all shares.
	FS *mount.FS
	// Identities may be nil.
	Identities Identities
	// Observer is for shares whose content is in objects. It may be nil.
	Observer *objects.Observer
	// State is the state of davd, in whose database the names of objects are; nil in memory.
	State any
	// Strays is a directory for the records of unfinished uploads, or "".
	Strays string
	// Stage and Notes, if not nil, are for directories that other davd change too: Stage is that of
	// local.Options, and Notes records unfinished uploads for all of them.
	Stage func() string
	Notes strays.Notes
	// Opened, if not nil, is called whenever the storage of a share was opened. It must not wait.
	Opened func()
	// MaxUsers limits how many storages of users each share keeps open, as mount.FS does.
	MaxUsers int
	Log      *slog.Logger

	mu sync.RWMutex
	// current are the shares of the newest configuration, by id.
	current map[string]*config.Share
	quotas  map[counted]*quota.FS
	uploads *s3blobs.Memory
	// objects are the open storages that count their quota themselves.
	objects map[counted]*objects.Storage
	// failed has the reasons why storages can't be used.
	failed map[counted]string
	// shared are the open directories that other davd change too.
	shared map[*directory]struct{}
}

// Open opens the shares of cfg. A share that can't be opened is not an error: it is tried
// again when it is used.
func (s *Shares) Open(ctx context.Context, cfg *config.Config) error {
	if err := s.Set(cfg); err != nil {
		return err
	}
	_ = s.FS.Check(ctx) // open has logged the errors
	return nil
}

// Set replaces the shares by those of cfg. They are opened when they are used.
func (s *Shares) Set(cfg *config.Config) (err error) {
	if s.FS == nil {
		if s.FS, err = mount.New(s.mounts(cfg)...); err != nil {
			return err
		}
		s.FS.MaxUsers = s.MaxUsers
		if s.Opened != nil {
			s.FS.Opened = func(string, string) { s.Opened() }
		}
		return nil
	}
	return s.FS.Set(s.mounts(cfg))
}

// mounts makes the shares of cfg the current ones.
func (s *Shares) mounts(cfg *config.Config) []mount.Share {
	mounts := make([]mount.Share, 0, len(cfg.Shares))
	current := make(map[string]*config.Share, len(cfg.Shares))
	for _, share := range cfg.Shares {
		current[share.ID] = share
		mounts = append(mounts, mount.Share{
			ID: share.ID, At: share.Name, Token: token(share),
			Open: func(ctx context.Context, user string) (storage.FS, error) { return s.open(ctx, share, user) },
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = current
	maps.DeleteFunc(s.failed, func(key counted, _ string) bool { return current[key.id] == nil })
	s.setQuotasLocked()
	return mounts
}

// token identifies what open opens. Options that can change while the storage is open are
// not part of it.
func token(share *config.Share) string {
	source := share.Dir + share.Zip + share.Objects
	if share.SFTP != nil {
		source = share.SFTP.String()
	}
	umask := -1
	if share.Umask != nil {
		umask = int(*share.Umask)
	}
	return fmt.Sprintf("%q %t %t %t %v %d %d %d %t %s %s", source, share.Mem, share.Create, share.Mounted, share.Links,
		umask, number(share.UID), number(share.GID), share.Quota > 0, share.Junk, share.Sync)
}

// number returns the number, or -1 for nil.
func number(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

// straysFile returns the record of unfinished uploads for the storage of a share.
func (s *Shares) straysFile(share *config.Share, user string) string {
	if s.Strays == "" {
		return ""
	}
	name := share.ID
	if user != "" {
		name += "-" + fmt.Sprintf("%x", user)
	}
	if len(name) > 200 {
		name = name[:200] // a collision only means that one storage removes no strays
	}
	return filepath.Join(s.Strays, name)
}
