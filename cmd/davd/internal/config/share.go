package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/cmd/davd/internal/backend"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// UserSegment stands for the name of a user, in the name of a share and in its directory.
const UserSegment = "{user}"

// Share is a share of a configuration file.
type Share struct {
	// Place is the place of its name.
	Place Place
	// Name is the canonical name at which it is mounted, such as "/", "/photos" or
	// "/home/{user}". It is in NFC.
	Name string
	// ID identifies the share in the state. It stays the same if the share gets another name.
	ID string

	// Exactly one of Dir, Mem, SFTP, Zip and Objects is set. With {user} in Name, all but Mem
	// contain it as well.

	// Dir is a directory.
	Dir string
	// Mem is an empty tree in memory.
	Mem bool
	// SFTP is a directory of an SFTP server.
	SFTP *url.URL
	// Zip is a ZIP file, which can only be read.
	Zip string
	// Objects is a text for objects.Parse: the content is in objects.
	Objects string

	// Create creates Dir if it doesn't exist.
	Create bool
	// Mounted says that Dir must be the root of a mounted filesystem, or in one.
	Mounted bool
	// Links says which symbolic links are followed.
	Links local.Links
	// ReadOnly refuses every change.
	ReadOnly bool
	// Quota is the most that the share may contain, in bytes; 0 for no limit. With {user}, each
	// instance has its own.
	Quota int64
	// Junk is what happens to files such as .DS_Store.
	Junk Junk
	// Sync is when content is written through to the disk.
	Sync storage.Sync
	// Umask, UID and GID are for new files and collections. They are nil for those of the
	// process.
	Umask    *fs.FileMode
	UID, GID *int

	// Rules are the rights, at least one: those of the file, or the default.
	Rules []Rule

	keys []key
}

// sharesByRoot returns shares by their names up to {user}. Of several with one root, it has the
// one with the longest name.
func sharesByRoot(shares []*Share) map[string]*Share {
	byRoot := make(map[string]*Share, len(shares))
	for _, s := range shares {
		root, _, _ := strings.Cut(s.Name, "/"+UserSegment)
		root = storage.Clean(root)
		if other := byRoot[root]; other == nil || len(s.Name) > len(other.Name) {
			byRoot[root] = s
		}
	}
	return byRoot
}

// ShareAt returns the share that contains the canonical name, or nil. All instances of a share with
// {user} count as that share.
func (c *Config) ShareAt(name string) *Share {
	for {
		if s := c.sharesByRoot[name]; s != nil || name == "/" {
			return s
		}
		name = path.Dir(name)
	}
}

// PerUser reports whether each user has an instance of the share.
func (s *Share) PerUser() bool { return strings.Contains(s.Name, UserSegment) }

// NameFor returns the name of the instance of a user. That is Name unless s is PerUser.
func (s *Share) NameFor(user string) string { return strings.ReplaceAll(s.Name, UserSegment, user) }

// DirFor returns the directory of the instance of a user.
func (s *Share) DirFor(user string) string { return strings.ReplaceAll(s.Dir, UserSegment, user) }

// Junk is what happens to files that Finder and Explorer leave behind.
type Junk string

// The values of Junk.
const (
	JunkKeep   Junk = "keep"
	JunkHide   Junk = "hide"
	JunkRefuse Junk = "refuse"
)

// shareKeys returns the keys of a share. Each one is defined here and nowhere else.
func (s *Share) shareKeys(f *file) []key {
	return []key{
		{Setting: setting.New("id", "NAME", "", setting.Value(&s.ID, parseID),
			"identifies the share in the state; write it before you rename the share, so that it keeps its locks and properties (default: made of the name)")},
		{Setting: setting.New("dir", "DIR", "", setting.File(&s.Dir),
			"the directory to serve")},
		{Setting: setting.New("mem", "", "", setting.Switch(&s.Mem),
			"in place of dir: an empty tree in memory that is lost when davd exits")},
		{Setting: setting.New("sftp", "URL", "", setting.Value(&s.SFTP, backend.ParseSFTP),
			"in place of dir: a directory of an SFTP server, such as sftp://ann@nas.example/photos")},
		{Setting: setting.New("zip", "FILE", "", setting.File(&s.Zip),
			"in place of dir: the content of a ZIP file, which can only be read")},
		{Setting: setting.New("objects", "WHERE", "", setting.Value(&s.Objects, parseObjects).Relative(objects.Resolve),
			"in place of dir: objects in a bucket (s3://BUCKET/PREFIX?endpoint=URL) or a directory (blobs:DIR), with a database of their names")},
		{Setting: setting.New("create", "", "", setting.Switch(&s.Create),
			"create the directory if it does not exist; with {user}, when that user first comes")},
		{Setting: setting.New("mounted", "", "", setting.Switch(&s.Mounted),
			"the directory is on a disk that must be mounted; until then, the share answers 503, and nothing is written into the empty mount point")},
		{Setting: setting.New("symlinks", "POLICY", "", setting.Word(&s.Links, local.LinksDeny, local.LinksInside, local.LinksFollow),
			"which symbolic links to follow: deny, inside or follow (default: as at the top)")},
		{Setting: setting.New("read-only", "", "", setting.Switch(&s.ReadOnly),
			"refuse all requests that would change something")},
		{Setting: setting.New("quota", "SIZE", "", setting.Value(&s.Quota, parseSize),
			"the most that the share may contain; with {user}, for each user (default: no limit)")},
		{Setting: setting.New("junk", "WAY", string(JunkKeep), setting.Word(&s.Junk, JunkKeep, JunkHide, JunkRefuse),
			"what to do with files such as ._x, .DS_Store, Thumbs.db and desktop.ini: keep them, hide them from listings, or refuse them")},
		{Setting: setting.New("fsync", "WHEN", "", setting.Word(&s.Sync, storage.SyncNever, storage.SyncClose, storage.SyncAlways),
			"what to write through to the disk: never, close or always (default: as at the top)")},
		{Setting: setting.New("umask", "OCTAL", "", setting.Value(&s.Umask, parseUmask),
			"permissions that new files and directories do not get, such as 027 (default: as at the top, or that of the process)")},
		{Setting: setting.New("uid", "NUMBER", "", setting.Value(&s.UID, parseID32),
			"the owner of new files and directories (default: as at the top, or the user who runs davd)")},
		{Setting: setting.New("gid", "NUMBER", "", setting.Value(&s.GID, parseID32),
			"the group of new files and directories (default: as at the top, or that of the process)")},
		{
			Setting: setting.New("rights", "", "", setting.Field{},
				"who may do what: read, add, write, none, or a list of list, read, create, write, delete and lock; for a user, a group, users (everyone with a name), anyone (also without one) or {user}"),
			read: func(v value) { f.rights(s, "", v) },
		},
		{
			Setting: setting.New("paths", "", "", setting.Field{},
				"rights for collections in the share, which count more than those above"),
			read: func(v value) { f.paths(s, v) },
		},
	}
}

// shares reads the shares of a file.
func (f *file) share(e entry) {
	s := Share{Place: e.at, Name: f.mountName(e)}
	s.keys = s.shareKeys(f)
	f.section(e.value, s.keys)
	f.checkBackend(&s, e)
	if s.ID == "" {
		s.ID = idOf(s.Name)
	}
	f.shares = append(f.shares, &s)
}

// mountName returns the canonical form of the name of a share.
func (f *file) mountName(e entry) string {
	name := norm.NFC.String(e.name)
	users := 0
	for segment := range strings.SplitSeq(name, "/") {
		if segment == UserSegment {
			users++
		} else if strings.ContainsAny(segment, "{}") {
			f.note(e.at, e.key, errors.New("only {user} may be in braces, and it must be a whole segment, as in /home/{user}"))
			return name
		}
	}
	if err := checkName(name); err != nil {
		f.note(e.at, e.key, err)
	} else if users > 1 {
		f.note(e.at, e.key, errors.New("{user} is there twice: write it once"))
	}
	return name
}

// checkName returns an error if a share or path can't have this name.
func checkName(name string) error {
	switch {
	case !strings.HasPrefix(name, "/"):
		return fmt.Errorf("the name does not begin with a slash: write /%s", name)
	case path.Clean(name) != name:
		return fmt.Errorf("the name is not a plain path: write %s", path.Clean(name))
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return errors.New("the name contains a control character")
	case storage.Reserved(name):
		return errors.New("the name is reserved: choose one that does not begin with .davd- and is not .DAV")
	case len(name) > 1024:
		return errors.New("the name is longer than 1024 bytes")
	}
	return nil
}

// checkBackend checks the keys that say what a share consists of, and those that depend on it.
func (f *file) checkBackend(s *Share, e entry) {
	var kinds []string
	for _, kind := range []string{"dir", "mem", "sftp", "zip", "objects"} {
		if given(s.keys, kind) && (kind != "mem" || s.Mem) {
			kinds = append(kinds, kind)
		}
	}
	switch {
	case len(kinds) == 0:
		f.note(e.at, e.key, errors.New("it has no content: write dir: DIRECTORY, or one of mem, sftp, zip and objects"))
	case len(kinds) > 1:
		f.note(e.at, e.key, fmt.Errorf("%s and %s contradict each other: leave out one", kinds[0], kinds[1]))
	case kinds[0] != "mem":
		f.checkUser(s, kinds[0])
	}
	if s.Dir == "" {
		for _, name := range []string{"create", "mounted", "symlinks", "fsync", "umask", "uid", "gid"} {
			if given(s.keys, name) {
				f.badKey(s.keys, name, "it only has an effect with dir: leave it out")
			}
		}
	}
	if s.Create && s.Mounted && !s.PerUser() {
		f.badKey(s.keys, "create", "it contradicts mounted: a directory that davd creates is not on that disk")
	}
}

// checkUser checks that {user} is in the name and in the location, or in neither.
func (f *file) checkUser(s *Share, kind string) {
	text := find(s.keys, kind).Effective()
	if len(text) == 0 {
		return
	}
	inside := strings.Contains(text[0], UserSegment)
	switch {
	case inside && !s.PerUser():
		f.badKey(s.keys, kind, "it contains {user}, and the name of the share does not: name it /home/{user}, for example")
	case !inside && s.PerUser():
		f.badKey(s.keys, kind, "it must contain {user}, as the name of the share does; otherwise all users would get the same files")
	}
}

// badKey notes a problem of a key that the operator has written.
func (r *reader) badKey(keys []key, name, says string) {
	r.error(find(keys, name).Wrong(errors.New(says)))
}

// parseObjects checks the place of objects.
func parseObjects(text string) (string, error) {
	_, err := objects.Parse(text)
	return text, err
}

// given reports whether the operator has written the key, with a value.
func given(keys []key, name string) bool {
	k := find(keys, name)
	return !k.Origin().IsDefault() && (k.read != nil || len(k.Effective()) > 0)
}

// maxID is the length of the longest id.
const maxID = 64

// parseID parses the id of a share, which becomes part of names in the state.
func parseID(s string) (string, error) {
	if len(s) > maxID || strings.ContainsFunc(s, notPlain) {
		return "", fmt.Errorf("%q is not an id: write 1 to %d of the characters a-z, A-Z, 0-9, - and _", s, maxID)
	}
	return s, nil
}

func notPlain(c rune) bool {
	plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	return !plain
}

// idOf returns the id of a share without one. Different names have different ids.
func idOf(name string) string {
	plain := strings.TrimPrefix(name, "/")
	if plain != "" && plain != rootID && len(plain) <= maxID && !strings.ContainsFunc(plain, notPlain) && !strings.Contains(plain, "--") {
		return plain
	}
	if name == "/" {
		return rootID
	}
	words := strings.FieldsFunc(plain, notPlain)
	hash := sha256.Sum256([]byte(name))
	readable := strings.Join(words, "-")
	return readable[:min(len(readable), maxID/2)] + "--" + hex.EncodeToString(hash[:6])
}

// rootID is the id of the share "/" if it has no other.
const rootID = "root"

// parseUmask parses an octal number, with or without 0 or 0o in front.
func parseUmask(s string) (*fs.FileMode, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 32)
	if err != nil || n > 0o777 {
		return nil, fmt.Errorf("%q is not a umask: write an octal number from 000 to 777, such as 027", s)
	}
	mode := fs.FileMode(n)
	return &mode, nil
}

// parseID32 parses the number of a user or group of the system.
func parseID32(s string) (*int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a user or group: write one such as 1000", s)
	}
	number := int(n)
	return &number, nil
}
