// Package config defines the settings of the server and turns them into a checked and typed
// configuration.
package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
)

// Config is the configuration of a server. New returns its settings without values, and Read
// fills in the fields.
type Config struct {
	// File is the configuration file that was read, or empty.
	File string
	// Files are all files that were read: File, those that it includes, and those with secrets.
	Files []string
	// Warnings have one line each, for the log.
	Warnings []string

	// Shares, Users and Groups are those of the file, sorted by name. If there are shares, Dir is
	// empty.
	Shares []*Share
	Users  []*User
	Groups []*Group
	// sharesByRoot has the Shares by the name below which they are: see ShareAt.
	sharesByRoot map[string]*Share
	// Home is the Home of users who have none of their own. It may be empty.
	Home string
	// LDAP and UserHeader are nil if they are not in the file.
	LDAP       *LDAP
	UserHeader *UserHeader

	// Storage is the kind of backend.
	Storage Storage
	// Page is what a browser gets for a collection.
	Page Page
	// Dir is the served directory. It is empty if Storage is not Dir or there are Shares.
	Dir string
	// Local holds the options of the backend for Dir.
	Local local.Options
	// Latency is added to each storage call.
	Latency time.Duration

	// Upstream is the server behind a reverse proxy. Only NewProxy has its settings.
	Upstream Upstream

	// Handler has the options that settings determine. The program adds the others.
	Handler dav.Handler

	// Addrs are the addresses to listen at, at least one.
	Addrs []Addr
	// Hosts are the host names, besides localhost, that a server without users accepts in
	// requests: the names of --host and those in Addrs.
	Hosts []string
	// TLSCert and TLSKey are PEM files, both empty without TLS.
	TLSCert, TLSKey string

	// Network has the options of connections.
	Network Network

	// HTPasswd are the files with users and their hashed passwords.
	HTPasswd []string
	// Realm is the name that a client shows when it asks for a password.
	Realm string
	// Admins are the users who can see and stop the operations of all users.
	Admins []string
	// Anonymous gives access to everyone who can reach a listener.
	Anonymous bool

	// State is where locks and dead properties are kept.
	State State
	// NodeName is the name of this davd among those that share State.URL.
	NodeName string
	// FenceCommand is a program that keeps a dead davd from changing the storage; "" for none.
	FenceCommand string
	// Locks has the options of the locks that settings determine.
	Locks lock.Options
	// Drain is how long requests may continue after the signal to stop.
	Drain time.Duration

	// Metrics says where metrics are served.
	Metrics Metrics

	// LogFormat is the format of the log.
	LogFormat LogFormat
	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level

	settings []*setting.Setting
	// anew returns a Config with the same settings, without values.
	anew func() *Config
	// home is the key with Home.
	home *setting.Setting
	// proxy says that NewProxy made it. named is the file and argument the directory that the
	// operator named.
	proxy           bool
	named, argument string
}

// Defaults are texts of settings, by name.
type Defaults map[string]string

// New returns a Config without values. Its settings have other defaults than those of davd
// serve if they are in other.
func New(other Defaults) *Config {
	c := &Config{anew: func() *Config { return New(other) }}
	c.settings = slices.Concat(
		setting.Group("Configuration", c.file()),
		setting.Group("Files", c.files()...),
		setting.Group("Network", c.network()...),
		setting.Group("Users", c.users()...),
		setting.Group("Locks and properties", c.state()...),
		setting.Group("Long operations", c.operations()...),
		setting.Group("Interim responses", c.interim()...),
		setting.Group("Metrics", c.monitoring()...),
		setting.Group("Log, on standard error", c.log()...),
	)
	for name, text := range other {
		c.Setting(name).Default = text
	}
	return c
}

// Settings returns all settings, in the order of the help.
func (c *Config) Settings() []*setting.Setting { return c.settings }

// Setting returns the setting with this name, which must exist.
func (c *Config) Setting(name string) *setting.Setting {
	return c.settings[slices.IndexFunc(c.settings, func(s *setting.Setting) bool { return s.Name == name })]
}

// wrongf returns an error about the setting with this name.
func (c *Config) wrongf(name, format string, args ...any) error {
	return c.Setting(name).Wrong(fmt.Errorf(format, args...))
}

// Read checks the settings and fills in the fields. dir is the directory to serve, or empty if
// the operator named none. An error is a [setting.Error] about the first invalid setting.
func (c *Config) Read(dir string) error {
	c.Dir, c.argument = dir, dir
	if err := setting.Read(c.settings); err != nil {
		return err
	}
	return c.checkTogether()
}

// Elsewhere reports whether Dir is no directory of this machine: an SFTP URL, or "zip:" with
// the path of a ZIP file; or there are only objects.
func (c *Config) Elsewhere() bool {
	return c.Storage.Kind == "" || strings.HasPrefix(c.Dir, "sftp://") || strings.HasPrefix(c.Dir, "zip:")
}

// Asks reports whether davd asks for passwords, or gets the names of users from a proxy.
func (c *Config) Asks() bool {
	return len(c.HTPasswd) > 0 || len(c.Users) > 0 || c.LDAP != nil || c.UserHeader != nil
}

// Page is what a browser gets for a collection.
type Page string

// The values of Page.
const (
	PageFull  Page = "full"
	PagePlain Page = "plain"
	PageOff   Page = "off"
)

// Storage is a kind of backend, or says where the objects are that have the content.
type Storage struct {
	// Kind is Dir or Mem; "" with Objects.
	Kind StorageKind
	// Objects is where the content is in objects.
	Objects objects.Place
}

// StorageKind is a kind of backend.
type StorageKind string

// The kinds of backend.
const (
	Dir StorageKind = "dir"
	Mem StorageKind = "mem"
)

// String returns the text of the setting.
func (s Storage) String() string {
	if s.Kind != "" {
		return string(s.Kind)
	}
	return s.Objects.String()
}

// parseStorage parses the setting storage.
func parseStorage(text string) (Storage, error) {
	switch kind := StorageKind(text); {
	case kind == Dir || kind == Mem:
		return Storage{Kind: kind}, nil
	case objects.Is(text):
		place, err := objects.Parse(text)
		return Storage{Objects: place}, err
	}
	return Storage{}, fmt.Errorf("unknown value %q: write dir, mem, blobs:DIR or s3://BUCKET/PREFIX?endpoint=URL", text)
}

// Metrics says where davd serves metrics.
type Metrics struct {
	// Addr is zero for no metrics.
	Addr Addr
	// Pprof adds profiles.
	Pprof bool
}

// LogFormat is a format of the log.
type LogFormat string

// The formats of the log.
const (
	Text LogFormat = "text"
	JSON LogFormat = "json"
)
