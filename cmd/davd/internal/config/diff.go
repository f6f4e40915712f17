package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Changes are the names of the settings that differ between two configurations, sorted.
type Changes struct {
	// Applied take effect with a reload. Restart need a restart.
	Applied, Restart []string
}

// Diff returns what changed from before to after. Shares, users and groups are named one by one,
// such as shares./photos. The places in the files don't matter.
func Diff(before, after *Config) Changes {
	restart := make(map[string]bool)
	compare := func(a, b map[string]Entry) {
		for key, e := range a {
			other, has := b[key]
			if !has || !slices.Equal(e.Values, other.Values) {
				name := strings.Join(e.Key[:min(len(e.Key), 2)], ".")
				restart[name] = restart[name] || after.needsRestart(e.Key[0], e.Restart)
			}
		}
	}
	compare(before.byName(), after.byName())
	compare(after.byName(), before.byName())
	for name := range before.secrets(after) {
		restart[name] = false
	}
	if before.Dir != after.Dir {
		restart["DIR"] = true
	}
	var changes Changes
	for _, name := range slices.Sorted(maps.Keys(restart)) {
		if restart[name] {
			changes.Restart = append(changes.Restart, name)
		} else {
			changes.Applied = append(changes.Applied, name)
		}
	}
	return changes
}

// needsRestart reports whether a change of a setting at the top needs a restart. restart says that
// of the setting in general. A single directory is not opened again, unlike a share.
func (c *Config) needsRestart(name string, restart bool) bool {
	return restart || len(c.Shares) == 0 && slices.Contains([]string{"symlinks", "umask", "uid", "gid"}, name)
}

// KeepFixed gives c the settings of before that need a restart. Call it after [Diff], when c takes
// the place of before in a running program.
func (c *Config) KeepFixed(before *Config) error {
	for i, s := range c.settings {
		if c.needsRestart(s.Name, s.Restart) {
			s.Restore(before.settings[i])
		}
	}
	if err := setting.Read(c.settings); err != nil {
		return err
	}
	c.derive()
	return nil
}

// byName returns the entries by the path of their keys.
func (c *Config) byName() map[string]Entry {
	all := make(map[string]Entry)
	for _, e := range c.Entries() {
		all[strings.Join(e.Key, "\x00")] = e
	}
	return all
}

// secrets returns the names of users and sections with secrets that differ: they may be in files
// of their own.
func (c *Config) secrets(other *Config) map[string]bool {
	changed := make(map[string]bool)
	for _, u := range c.Users {
		i, found := slices.BinarySearchFunc(other.Users, u.Name, func(u *User, name string) int { return cmp.Compare(u.Name, name) })
		if found && other.Users[i].Hash != u.Hash {
			changed["users."+u.Name] = true
		}
	}
	if c.LDAP != nil && other.LDAP != nil && c.LDAP.BindPassword != other.LDAP.BindPassword {
		changed["ldap.bind-password"] = true
	}
	return changed
}
