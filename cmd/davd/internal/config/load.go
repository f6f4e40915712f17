package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Load reads the configuration file, if there is one, and then does what [Config.Read] does. dir
// is the directory to serve, or empty if the operator named none. The file is that of --config,
// or the first of the default files if dir is empty.
//
// An error is [FileErrors] about the file, or another one about the file or the command line.
func (c *Config) Load(dir string) error { return c.load(dir, nil) }

// Reload returns a Config from the same command line and environment. It reads the files again. c
// stays as it is. A directory that c serves may be missing.
func (c *Config) Reload() (*Config, error) {
	fresh := c.anew()
	for i, s := range fresh.settings {
		s.CopyCommandLine(c.settings[i])
	}
	fresh.File = c.File
	fresh.Upstream.URL = c.Upstream.URL
	err := fresh.load(c.argument, c)
	return fresh, err
}

// LoadFile reads only this configuration file.
func (c *Config) LoadFile(name string) error {
	c.File = name
	return c.load("", nil)
}

// load is Load. before is the Config that this one replaces, or nil.
func (c *Config) load(dir string, before *Config) error {
	c.argument = dir
	if c.File == "" {
		if err := c.locate(dir); err != nil {
			return err
		}
	}
	if c.File == "" {
		return c.Read(dir)
	}
	f := c.newFile()
	if err := f.parse(c.File); err != nil {
		if c.named != "" {
			return c.Setting("config").Wrong(err)
		}
		return err
	}
	return c.take(f, before)
}

func (c *Config) newFile() *file {
	c.home = c.homeKey()
	return &file{settings: c.fileSettings(), sections: !c.proxy, first: make(map[string]Place), home: c.home}
}

// take puts what the file says into c.
func (c *Config) take(f *file, before *Config) error {
	c.Dir = c.argument
	for _, err := range setting.ReadAll(c.settings) {
		if wrong, ok := errors.AsType[*setting.Error](err); ok && !wrong.Origin.InFile() {
			return err
		}
		f.error(err)
	}
	f.finish(c, before)
	c.Files, c.Warnings = f.files, f.warnings
	if len(f.problems) > 0 {
		return f.problems.sorted()
	}
	return c.together()
}

// fileSettings returns the settings that may be in a file.
func (c *Config) fileSettings() []*setting.Setting {
	return slices.DeleteFunc(slices.Clone(c.settings), func(s *setting.Setting) bool { return s.FlagOnly || s.Name == "config" })
}

// locate sets File to that of --config or, if the operator has named nothing to serve, to the
// first default file that exists.
func (c *Config) locate(dir string) error {
	if err := c.Setting("config").Read(); err != nil {
		return err
	}
	c.File = c.named
	if c.File != "" || c.proxy || dir != "" || !c.Setting("storage").Origin().IsDefault() {
		return nil
	}
	c.File = DefaultFile()
	return nil
}

// DefaultFile returns the first of the [DefaultFiles] that exists, or "".
func DefaultFile() string {
	for _, name := range DefaultFiles() {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// DefaultFiles returns the names of the default configuration files: that of the system, and
// that of the user (XDG Base Directory Specification, or the system's equivalent).
func DefaultFiles() []string {
	files := []string{"/etc/davd/davd.yaml"}
	// systemd sets it for ConfigurationDirectory= (systemd.exec).
	if dir, _, _ := strings.Cut(os.Getenv("CONFIGURATION_DIRECTORY"), ":"); filepath.IsAbs(dir) {
		files[0] = filepath.Join(dir, "davd.yaml")
	}
	if runtime.GOOS == "windows" {
		files = nil
		if data := os.Getenv("ProgramData"); data != "" {
			files = append(files, filepath.Join(data, "davd", "davd.yaml"))
		}
	}
	if dir, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(dir, "davd", "davd.yaml"))
	}
	return files
}

// together checks settings that depend on each other. If the wrong one is in a file, the error is
// FileErrors.
func (c *Config) together() error {
	err := c.checkTogether()
	if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Origin.InFile() {
		return FileErrors{{Place: wrong.Origin.Place, Key: wrong.Origin.Name, Err: wrong.Err}}
	}
	return err
}
