package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/davd/davd/storage"
)

// Settings are the settings as the operator writes them. An empty text stands for the one
// in [Defaults], so that an environment variable can be set to nothing.
type Settings struct {
	// Dir is the directory to serve. It is the only setting without a flag.
	Dir string

	Addrs          []string
	Hosts          []string
	Prefix         string
	ReadOnly       bool
	Storage        string
	Fsync          string
	PartialPut     bool
	Symlinks       string
	CopyLinks      bool
	Latency        string
	Compress       string
	HTPasswd       string
	Realm          string
	Admins         []string
	Anonymous      bool
	State          string
	OnDisconnect   string
	StallTimeout   string
	MinRate        string
	Drain          string
	LockTimeoutMin string
	LockTimeoutMax string
	LocksPerUser   string
	MaxXMLBody     string

	PropertiesPerUser string

	PropfindInfinity string
	ListingsAtOnce   string
	ListingsPerUser  string

	LocksPerAddress   string
	OperationsAtOnce  string
	OperationsPerUser string

	Interim        string
	InterimAfter   string
	InterimEvery   string
	InterimClients []string
	InterimProxy   string
	TrustedProxies []string
	TLSCert        string
	TLSKey         string
	LogFormat      string
	LogLevel       string
}

// Defaults returns the settings of a davd without flags and environment variables.
func Defaults() Settings {
	return Settings{
		Addrs:          []string{"127.0.0.1:8080"},
		Storage:        "dir",
		Fsync:          "never",
		Symlinks:       "inside",
		Latency:        "0s",
		Compress:       "auto",
		Realm:          "davd",
		OnDisconnect:   "finish",
		StallTimeout:   "2m",
		MinRate:        "500B",
		Drain:          "10s",
		LockTimeoutMin: "1s",
		LockTimeoutMax: "24h",
		LocksPerUser:   "10000",
		MaxXMLBody:     "1MiB",

		PropertiesPerUser: "256MiB",

		PropfindInfinity: "allow",
		ListingsAtOnce:   "64",
		ListingsPerUser:  "16",

		OperationsAtOnce: "1024",

		Interim:      "auto",
		InterimAfter: "20s",
		InterimEvery: "20s",
		InterimProxy: "none",
		LogFormat:    "text",
		LogLevel:     "info",
	}
}

// Error is the error of an invalid setting.
type Error struct {
	// Setting is the name of its flag, without dashes.
	Setting string
	// Err says what is wrong and what to do.
	Err error
}

func (e *Error) Error() string { return e.Setting + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// New checks s and returns the configuration. An error is an [Error] about the first
// invalid setting.
func New(s Settings) (*Config, error) {
	s = s.orDefaults()
	c := &Config{
		Dir: s.Dir, ReadOnly: s.ReadOnly, PartialPut: s.PartialPut, CopyLinks: s.CopyLinks,
		HTPasswd: s.HTPasswd, Anonymous: s.Anonymous,
		TLSCert: s.TLSCert, TLSKey: s.TLSKey,
	}
	var first firstError
	c.Addrs = read(&first, "addr", s.Addrs, parseAddrs)
	c.Hosts = append(read(&first, "host", withoutEmpty(s.Hosts), parseHosts), hostsOf(c.Addrs)...)
	c.Prefix = read(&first, "prefix", s.Prefix, parsePrefix)
	c.Storage = read(&first, "storage", s.Storage, oneOf(Dir, Mem))
	c.Symlinks = read(&first, "symlinks", s.Symlinks, parseSymlinks)
	c.Sync = read(&first, "fsync", s.Fsync, oneOf(storage.SyncNever, storage.SyncClose, storage.SyncAlways))
	c.Latency = read(&first, "latency", s.Latency, parseDuration)
	c.Compress = read(&first, "compress", s.Compress, parseCompression)
	c.Admins = withoutEmpty(s.Admins)
	c.Realm = read(&first, "realm", s.Realm, parseRealm)
	c.State = read(&first, "state", s.State, parseState)
	c.OnDisconnect = read(&first, "on-disconnect", s.OnDisconnect, oneOf(Finish, Cancel))
	c.StallTimeout = read(&first, "stall-timeout", s.StallTimeout, parseStall)
	c.MinRate = read(&first, "min-rate", s.MinRate, parseRate)
	c.Drain = read(&first, "drain", s.Drain, parseDuration)
	c.LockTimeouts.Min = read(&first, "lock-timeout-min", s.LockTimeoutMin, parsePositive)
	c.LockTimeouts.Max = read(&first, "lock-timeout-max", s.LockTimeoutMax, parseLongest)
	c.LocksPerUser = read(&first, "locks-per-user", s.LocksPerUser, parseCount)
	c.PropertiesPerUser = read(&first, "properties-per-user", s.PropertiesPerUser, parseSize)
	c.MaxXML = read(&first, "max-xml-body", s.MaxXMLBody, parseSize)
	c.Listings.Infinity = read(&first, "propfind-infinity", s.PropfindInfinity, parseInfinity)
	c.Listings.Most = read(&first, "listings-at-once", s.ListingsAtOnce, parseCount)
	c.Listings.MostOf = read(&first, "listings-per-user", s.ListingsPerUser, parseCount)
	c.readLimits(s, &first)
	c.InterimMode = read(&first, "interim", s.Interim, parseInterimMode)
	c.InterimAfter = read(&first, "interim-after", s.InterimAfter, parseDuration)
	c.InterimEvery = read(&first, "interim-every", s.InterimEvery, parsePositive)
	c.InterimClients = read(&first, "interim-client", s.InterimClients, ParseClients)
	c.InterimProxy = read(&first, "interim-proxy", s.InterimProxy, parseInterimProxy)
	c.TrustedProxies = read(&first, "trusted-proxy", s.TrustedProxies, parseNetworks)
	c.LogFormat = read(&first, "log-format", s.LogFormat, oneOf(Text, JSON))
	c.LogLevel = read(&first, "log-level", s.LogLevel, parseLevel)
	c.checkTogether(&first, s)
	if first.err != nil {
		return nil, first.err
	}
	return c, nil
}

// checkTogether checks settings that depend on each other.
func (c *Config) checkTogether(first *firstError, s Settings) {
	first.note("storage", c.checkDir())
	first.note("state", c.checkState(s.State))
	first.note("lock-timeout-min", c.checkLockTimeouts())
	first.note("anonymous", c.checkAnonymous())
	first.note("admin", c.checkAdmins())
	first.note("tls-cert", c.checkTLS())
}

// orDefaults returns s with empty settings replaced by their defaults.
func (s Settings) orDefaults() Settings {
	d := Defaults()
	s.Addrs = withoutEmpty(s.Addrs)
	if len(s.Addrs) == 0 {
		s.Addrs = d.Addrs
	}
	s.TrustedProxies = withoutEmpty(s.TrustedProxies)
	s.Storage = cmp.Or(s.Storage, d.Storage)
	s.Fsync = cmp.Or(s.Fsync, d.Fsync)
	s.Symlinks = cmp.Or(s.Symlinks, d.Symlinks)
	s.Latency = cmp.Or(s.Latency, d.Latency)
	s.Compress = cmp.Or(s.Compress, d.Compress)
	s.Realm = cmp.Or(s.Realm, d.Realm)
	s.State = cmp.Or(s.State, d.State)
	s.OnDisconnect = cmp.Or(s.OnDisconnect, d.OnDisconnect)
	s.StallTimeout = cmp.Or(s.StallTimeout, d.StallTimeout)
	s.MinRate = cmp.Or(s.MinRate, d.MinRate)
	s.Drain = cmp.Or(s.Drain, d.Drain)
	s.LockTimeoutMin = cmp.Or(s.LockTimeoutMin, d.LockTimeoutMin)
	s.LockTimeoutMax = cmp.Or(s.LockTimeoutMax, d.LockTimeoutMax)
	s.LocksPerUser = cmp.Or(s.LocksPerUser, d.LocksPerUser)
	s.PropertiesPerUser = cmp.Or(s.PropertiesPerUser, d.PropertiesPerUser)
	s.MaxXMLBody = cmp.Or(s.MaxXMLBody, d.MaxXMLBody)
	s.PropfindInfinity = cmp.Or(s.PropfindInfinity, d.PropfindInfinity)
	s.ListingsAtOnce = cmp.Or(s.ListingsAtOnce, d.ListingsAtOnce)
	s.ListingsPerUser = cmp.Or(s.ListingsPerUser, d.ListingsPerUser)
	s.OperationsAtOnce = cmp.Or(s.OperationsAtOnce, d.OperationsAtOnce)
	s.Interim = cmp.Or(s.Interim, d.Interim)
	s.InterimAfter = cmp.Or(s.InterimAfter, d.InterimAfter)
	s.InterimEvery = cmp.Or(s.InterimEvery, d.InterimEvery)
	s.InterimProxy = cmp.Or(s.InterimProxy, d.InterimProxy)
	s.LogFormat = cmp.Or(s.LogFormat, d.LogFormat)
	s.LogLevel = cmp.Or(s.LogLevel, d.LogLevel)
	return s
}

func withoutEmpty(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return text == "" })
}

// checkDir sets the default of Dir, the current directory.
func (c *Config) checkDir() error {
	if c.Storage == Mem {
		if c.Dir != "" {
			return fmt.Errorf("mem serves no directory: leave out %s, or serve it with --storage dir", c.Dir)
		}
		return nil
	}
	c.Dir = cmp.Or(c.Dir, ".")
	return nil
}

// checkAnonymous rejects --anonymous together with --htpasswd, because they contradict
// each other.
func (c *Config) checkAnonymous() error {
	if c.Anonymous && c.HTPasswd != "" {
		return fmt.Errorf("contradicts --htpasswd %s, which only lets in users: leave out one of the two", c.HTPasswd)
	}
	return nil
}

// checkAdmins rejects --admin without --htpasswd, because there are no users then.
func (c *Config) checkAdmins() error {
	if len(c.Admins) > 0 && c.HTPasswd == "" {
		return fmt.Errorf("%s has no effect without users: name a file of users with --htpasswd FILE", c.Admins[0])
	}
	return nil
}

func (c *Config) checkTLS() error {
	switch {
	case c.TLSCert == "" && c.TLSKey != "":
		return errors.New("missing, but --tls-key is set: name the file of the certificate as well")
	case c.TLSCert != "" && c.TLSKey == "":
		return errors.New("the key is missing: name its file with --tls-key")
	}
	return nil
}

// firstError keeps the first error of several checks.
type firstError struct{ err error }

func (f *firstError) note(setting string, err error) {
	if f.err == nil && err != nil {
		f.err = &Error{Setting: setting, Err: err}
	}
}

// read parses a setting's text and notes the error.
func read[In, Out any](first *firstError, setting string, in In, parse func(In) (Out, error)) Out {
	out, err := parse(in)
	first.note(setting, err)
	return out
}
