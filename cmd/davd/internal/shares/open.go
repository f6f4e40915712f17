package shares

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/afero"

	"github.com/davd/davd/cmd/davd/internal/backend"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/junk"
	"github.com/davd/davd/storage/mount"
)

// open opens the storage of a share, or of the instance of a user.
func (s *Shares) open(ctx context.Context, share *config.Share, user string) (storage.FS, error) {
	opened, err := s.openBackend(ctx, share, user)
	s.report(ctx, share, user, err)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// report logs that a share can't be used, or can be used again. Clients may ask for it many
// times in the meantime, so it logs each reason once.
func (s *Shares) report(ctx context.Context, share *config.Share, user string, err error) {
	if user != "" && errors.Is(err, fs.ErrNotExist) {
		err = nil // not a problem of the share: this user has no directory
	}
	key := counted{share.ID, user}
	s.mu.Lock()
	before, failed := s.failed[key]
	switch {
	case err == nil:
		delete(s.failed, key)
	case s.failed == nil:
		s.failed = map[counted]string{key: err.Error()}
	default:
		s.failed[key] = err.Error()
	}
	s.mu.Unlock()
	switch name := share.NameFor(user); {
	case err == nil && failed:
		s.Log.InfoContext(ctx, "a share can be used again", "share", name)
	case err != nil && err.Error() != before:
		s.Log.ErrorContext(ctx, "a share can't be used; davd tries again when a client asks for it", "share", name, "err", err)
	}
}

func (s *Shares) openBackend(ctx context.Context, share *config.Share, user string) (*mount.Storage, error) {
	opened, err := s.openBare(ctx, share, user)
	if err != nil {
		return nil, err
	}
	if share.Quota > 0 && share.Objects == "" {
		opened = s.limit(opened, share, user)
	}
	opened.FS = junk.New(opened.FS, junk.Mode(share.Junk))
	return opened, nil
}

// openBare opens the storage without the decorators.
func (s *Shares) openBare(ctx context.Context, share *config.Share, user string) (*mount.Storage, error) {
	switch {
	case share.Mem:
		return &mount.Storage{FS: aferofs.New(afero.NewMemMapFs())}, nil
	case share.Dir != "":
		d, err := s.openDirectory(ctx, share, user)
		if err != nil {
			return nil, err
		}
		return &mount.Storage{FS: d.FS, Ask: d.ask, End: d.close}, nil
	case share.SFTP != nil:
		u := share.SFTP
		if share.PerUser() {
			u = backend.ForUser(u, config.UserSegment, user)
		}
		opened, err := backend.OpenSFTP(ctx, u, s.Log)
		if err != nil {
			return nil, err
		}
		return &mount.Storage{FS: opened, Ask: opened.Available, End: opened.Close}, nil
	case share.Zip != "":
		opened, err := backend.OpenZip(strings.ReplaceAll(share.Zip, config.UserSegment, user))
		if err != nil {
			return nil, err
		}
		return &mount.Storage{FS: opened, End: opened.Close}, nil
	}
	if share.Objects != "" {
		return s.openObjects(ctx, share, user)
	}
	return nil, fmt.Errorf("%s: this kind of share can't be opened yet: %w", share.Name, errors.ErrUnsupported)
}
