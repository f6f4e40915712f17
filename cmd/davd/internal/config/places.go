package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/share"
)

// checkPlaces checks that the directories of the shares exist, and that clients can't reach the
// files with the configuration in them. before is the Config that c replaces, or nil.
func (f *file) checkPlaces(c, before *Config) {
	for _, s := range f.shares {
		if s.Dir != "" {
			f.checkExists(s, "dir", s.Base(), before)
		} else if s.Zip != "" && !s.PerUser() {
			f.checkExists(s, "zip", s.Zip, before)
		}
	}
	for _, name := range f.files {
		if inside, err := share.Holds(c.Dir, name); c.Dir != "" && !c.Elsewhere() && err == nil && inside {
			f.note(Place{File: name}, "", fmt.Errorf("it is inside the served directory %s, where clients could read and change it: move it out", c.Dir))
		}
	}
	for _, secret := range f.secretFiles(c) {
		for _, s := range f.shares {
			if inside, err := s.holds(secret); err == nil && inside {
				f.badKey(s.keys, "dir", fmt.Sprintf("it contains %s, which clients could read or change: move that out", secret))
			}
		}
	}
	f.warnOverlap()
}

// Dirs returns the directories that clients can reach: Dir, or those of the shares. One that
// has the directories of several users stands for them.
func (c *Config) Dirs() (dirs []string) {
	if c.Elsewhere() {
		return nil
	}
	if len(c.Shares) == 0 && c.Storage.Kind == Dir {
		return []string{c.Dir}
	}
	for _, s := range c.Shares {
		if s.Dir != "" {
			dirs = append(dirs, s.Base())
		}
	}
	return dirs
}

// Base returns the directory that must exist: Dir or, with {user}, what is in front of that.
func (s *Share) Base() string {
	front, _, found := strings.Cut(s.Dir, UserSegment)
	if !found {
		return s.Dir
	}
	if strings.HasSuffix(front, string(filepath.Separator)) || strings.HasSuffix(front, "/") {
		return filepath.Clean(front)
	}
	return filepath.Dir(front)
}

// checkExists checks that the directory or file of a share exists. It only warns about a share
// that before has as well, or that may be on a disk that is not mounted: it answers 503 for now.
func (f *file) checkExists(s *Share, kind, name string, before *Config) {
	info, err := os.Stat(name)
	at := find(s.keys, kind)
	switch {
	case err == nil && kind == "dir" && !info.IsDir():
		f.badKey(s.keys, kind, name+" is a file: name a directory")
	case err == nil && kind == "zip" && !info.Mode().IsRegular():
		f.badKey(s.keys, kind, name+" is not a file: name a ZIP file")
	case err == nil, s.Create && kind == "dir":
	case s.Mounted, before.served(s):
		f.warn(at.Origin().Place, "%s: %s is missing: the share answers 503 until it is there", at.Origin().Name, name)
	case errors.Is(err, fs.ErrNotExist) && kind == "dir":
		f.badKey(s.keys, kind, name+": no such directory: create it, or write create: true")
	case errors.Is(err, fs.ErrNotExist):
		f.badKey(s.keys, kind, name+": no such file")
	default:
		f.error(at.Wrong(fileError(name, err)))
	}
}

// served reports whether c has the same share, in the same place. c may be nil.
func (c *Config) served(s *Share) bool {
	return c != nil && slices.ContainsFunc(c.Shares, func(other *Share) bool {
		return other.ID == s.ID && other.Dir == s.Dir && other.Zip == s.Zip && other.Objects == s.Objects
	})
}

// secretFiles returns the files that clients must not reach. Of the files that are included
// from one directory, which are many, only those count that are links, and the directory.
func (f *file) secretFiles(c *Config) []string {
	secret := slices.Concat(c.HTPasswd, []string{c.TLSKey})
	if c.State.File != "" || c.State.Dir != "" {
		secret = append(secret, cmp.Or(c.State.File, c.State.Dir))
	}
	for i, name := range f.files {
		info, err := os.Lstat(name)
		if i == 0 || err != nil || !info.Mode().IsRegular() {
			secret = append(secret, name)
		} else {
			secret = append(secret, filepath.Dir(name))
		}
	}
	slices.Sort(secret)
	return slices.DeleteFunc(slices.Compact(secret), func(name string) bool { return name == "" })
}

// holds reports whether clients of the share can reach a file.
func (s *Share) holds(name string) (bool, error) {
	if s.Dir == "" {
		return false, nil
	}
	if !s.PerUser() {
		return share.Holds(s.Dir, name)
	}
	inside, err := share.Holds(s.Base(), name)
	if err != nil || !inside {
		return false, err
	}
	base, err := realPath(s.Base())
	if err != nil {
		return false, err
	}
	file, err := realPath(name)
	if err != nil {
		return false, err
	}
	below, err := filepath.Rel(base, file)
	if err != nil || below == "." || strings.HasPrefix(below, "..") {
		return true, nil //nolint:nilerr // in base by a way that is hard to follow
	}
	user, _, _ := strings.Cut(below, string(filepath.Separator))
	if user != filepath.Base(s.DirFor(user)) && !strings.Contains(s.Dir, string(filepath.Separator)+UserSegment+string(filepath.Separator)) {
		return true, nil // {user} is a part of a segment
	}
	inside, err = share.Holds(s.DirFor(user), name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return inside, err
}

// realPath returns an absolute path without links. The end of the path may not exist.
func realPath(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	target, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(name) != name {
		dir, err := realPath(filepath.Dir(name))
		return filepath.Join(dir, filepath.Base(name)), err
	}
	return target, err
}

// warnOverlap warns of directories that are in two shares: a lock in one does not protect the
// other.
func (f *file) warnOverlap() {
	type place struct {
		dir   string
		share *Share
	}
	var places []place
	for _, s := range f.shares {
		if dir, err := realPath(s.Base()); err == nil && s.Dir != "" {
			places = append(places, place{strings.TrimSuffix(dir, string(filepath.Separator)) + string(filepath.Separator), s})
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.dir, b.dir) })
	for i := 1; i < len(places); i++ {
		outer, inner := places[i-1], places[i]
		if strings.HasPrefix(inner.dir, outer.dir) {
			at := find(inner.share.keys, "dir").Origin()
			f.warn(at.Place, "%s: the directory is also in the share %s: locks and rights of one do not protect the other", at.Name, outer.share.Name)
			places[i] = place{outer.dir, outer.share} // compare the next one with the outer one
		}
	}
}
