package setting

import "iter"

// Group is a group of settings with its title in the help.
type Group struct {
	Title    string
	Settings []*Setting
}

// Groups are the settings of a command, in the order of its help.
type Groups []Group

// All returns the settings of all groups.
func (g Groups) All() iter.Seq[*Setting] {
	return func(yield func(*Setting) bool) {
		for _, group := range g {
			for _, s := range group.Settings {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// ReadEnv calls ReadEnv for all settings.
func (g Groups) ReadEnv() {
	for s := range g.All() {
		s.ReadEnv()
	}
}

// Read calls Read for all settings. It returns the first error.
func (g Groups) Read() error {
	for s := range g.All() {
		if err := s.Read(); err != nil {
			return err
		}
	}
	return nil
}
