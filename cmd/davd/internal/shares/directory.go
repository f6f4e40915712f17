package shares

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/strays"
)

// newDirectory is the permission of a directory that davd creates for a share without a umask.
const newDirectory = 0o755

// optionsOf says how to open a directory of a share.
func optionsOf(share *config.Share) local.Options {
	return local.Options{Links: share.Links, Umask: share.Umask, UID: share.UID, GID: share.GID, Sync: share.Sync}
}

// openDirectory opens the directory of a share, or of the instance of a user.
func (s *Shares) openDirectory(ctx context.Context, share *config.Share, user string) (*directory, error) {
	dir := share.DirFor(user)
	if share.Mounted {
		if err := checkMounted(share.Base()); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && share.Create && (user == "" || storage.PrincipalOf(ctx) == user) {
		info, err = s.create(ctx, share, dir)
	}
	if err == nil && user != "" && !isOwn(share, dir) {
		err = fs.ErrNotExist
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && user != "":
		return nil, err // this user has no directory
	case err != nil:
		return nil, fmt.Errorf("%s: %w", dir, storage.Cause(err))
	case !info.IsDir():
		return nil, fmt.Errorf("%s: is not a directory", dir)
	}
	options := optionsOf(share)
	if s.Stage != nil {
		if err := local.CheckShared(dir); err != nil {
			return nil, err
		}
		options.Stage = s.Stage
	}
	opened, err := local.OpenWith(dir, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, storage.Cause(err))
	}
	d := &directory{FS: opened, dir: dir, share: share}
	if d.info, err = os.Stat(dir); err == nil {
		err = s.recognise(ctx, share, user, opened)
	}
	if err == nil {
		err = s.note(ctx, d)
	}
	if err == nil {
		err = s.sweep(ctx, d, user)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), d.close())
	}
	return d, nil
}

// isOwn reports whether dir, which exists, is the directory of a user and not that of another one
// whose name differs in case, on a disk that ignores case.
func isOwn(share *config.Share, dir string) bool {
	base := share.Base()
	rest, err := filepath.Rel(base, dir)
	if err != nil {
		return false
	}
	name, _, _ := strings.Cut(filepath.ToSlash(rest), "/")
	if _, err := os.Lstat(filepath.Join(base, swapCase(name))); err != nil {
		return true // the disk tells them apart
	}
	members, err := os.ReadDir(base)
	return err == nil && slices.ContainsFunc(members, func(member fs.DirEntry) bool {
		return norm.NFC.String(member.Name()) == norm.NFC.String(name)
	})
}

func swapCase(name string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); lower != r {
			return lower
		}
		return unicode.ToUpper(r)
	}, name)
}

// create creates the directory dir of a share, with the owner, the group and the umask of its
// collections. Unless the share is new, its disk may not be
// mounted: so a base that existed before must still exist.
func (s *Shares) create(ctx context.Context, share *config.Share, dir string) (fs.FileInfo, error) {
	if known, err := s.known(ctx, share.ID); err != nil || known != "" {
		if _, statErr := os.Stat(share.Base()); statErr != nil {
			return nil, errors.Join(err, statErr)
		}
	}
	if err := makeAll(ctx, dir, optionsOf(share)); err != nil {
		return nil, err
	}
	return os.Stat(dir)
}

// makeAll creates dir, and those of its parents that don't exist, as new collections.
func makeAll(ctx context.Context, dir string, options local.Options) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeAll(ctx, parent, options); err != nil {
			return err
		}
	}
	opened, err := local.OpenWith(parent, options)
	if err != nil {
		return err
	}
	perm := fs.FileMode(newDirectory)
	if options.Umask != nil {
		perm = fs.ModePerm
	}
	err = opened.Mkdir(ctx, "/"+filepath.Base(dir), perm)
	if errors.Is(err, fs.ErrExist) {
		err = nil // another request has created it
	}
	return errors.Join(err, opened.Close())
}

func (s *Shares) known(ctx context.Context, id string) (string, error) {
	if s.Identities == nil {
		return "", nil
	}
	return s.Identities.ShareIdentity(ctx, id)
}

// errEmptied is the reason why an empty directory is not used.
var errEmptied = errors.New("it is empty and another directory than before: mount its disk; if there is none, put a file into the directory")

// recognise compares the identity of an opened directory with that of the last time. If the
// directory is empty and another one than before, although the configuration still names the
// same place, its disk is probably not mounted.
func (s *Shares) recognise(ctx context.Context, share *config.Share, user string, opened storage.FS) error {
	if s.Identities == nil || user != "" {
		return nil
	}
	identity, err := storage.Identity(ctx, opened, "/")
	if err != nil || identity == "" {
		return err
	}
	known, err := s.known(ctx, share.ID)
	if err != nil {
		return err
	}
	before, dir, placed := strings.Cut(known, " ")
	if before == identity && dir == share.Dir {
		return nil
	}
	if before != "" && before != identity {
		if empty, err := isEmpty(ctx, opened); err != nil || empty && (!placed || dir == share.Dir) {
			return cmp.Or(err, errEmptied)
		}
		s.Log.Info("the share is in another directory or on another disk than before", "share", share.Name, "dir", share.Dir)
	}
	return s.Identities.SetShareIdentity(ctx, share.ID, identity+" "+share.Dir)
}

// isEmpty reports whether the root of fsys has no members.
func isEmpty(ctx context.Context, fsys storage.FS) (bool, error) {
	for _, err := range storage.ReadDir(ctx, fsys, "/") {
		return false, err
	}
	return true, nil
}

// sweep removes the unfinished uploads that a killed davd has left in d.
func (s *Shares) sweep(ctx context.Context, d *directory, user string) error {
	file := s.straysFile(d.share, user)
	if file == "" {
		return nil
	}
	if err := os.MkdirAll(s.Strays, 0o700); err != nil {
		return err
	}
	var err error
	if d.strays, err = strays.Open(file); err != nil {
		return err
	}
	swept, err := strays.Sweep(ctx, d.FS, d.strays)
	for _, each := range swept {
		if each.Err != nil {
			s.Log.Warn("can't remove an unfinished upload", "share", d.share.Name, "name", each.Name, "err", each.Err)
			continue
		}
		s.Log.Info("removed an unfinished upload of a killed davd", "share", d.share.Name, "name", each.Name)
	}
	return err
}

// note makes a directory that other davd change too note its unfinished uploads.
func (s *Shares) note(ctx context.Context, d *directory) error {
	if s.Notes == nil {
		return nil
	}
	if err := strays.NoteIn(ctx, d.FS, s.Notes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared == nil {
		s.shared = make(map[*directory]struct{})
	}
	s.shared[d] = struct{}{}
	d.closed = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.shared, d)
	}
	return nil
}

// SweepNotes removes the unfinished uploads of other davd, as far as they are in open directories.
func (s *Shares) SweepNotes(ctx context.Context, left []strays.Note) (swept []strays.Swept, err error) {
	s.mu.RLock()
	open := slices.Collect(maps.Keys(s.shared))
	s.mu.RUnlock()
	for _, d := range open {
		some, sweepErr := strays.SweepNotes(ctx, d.FS, left)
		swept, err = append(swept, some...), errors.Join(err, sweepErr)
	}
	return swept, err
}

// directory is the open directory of a share.
type directory struct {
	*local.FS
	dir    string
	share  *config.Share
	info   fs.FileInfo // of dir, when it was opened
	strays *strays.File
	// closed, if not nil, is called when it is closed.
	closed func()
}

// ask reports whether the directory still is what was opened. It is not if its disk was
// unmounted, or another one was mounted there.
func (d *directory) ask(context.Context) error {
	info, err := os.Stat(d.dir)
	if err != nil {
		return err
	}
	if !os.SameFile(info, d.info) {
		return fmt.Errorf("%s: is another directory than before", d.dir)
	}
	if d.share.Mounted {
		return checkMounted(d.share.Base())
	}
	return nil
}

// close closes the directory.
func (d *directory) close() error {
	if d.closed != nil {
		d.closed()
	}
	return errors.Join(d.Close(), d.strays.Close())
}
