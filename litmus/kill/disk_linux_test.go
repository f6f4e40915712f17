package kill

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// onDisk compares the files in the share with what clients see.
func (s *site) onDisk(seen view) error {
	found := map[string]bool{"/": true}
	err := filepath.WalkDir(s.share, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == s.share {
			return err
		}
		name := "/" + filepath.ToSlash(strings.TrimPrefix(path, s.share+"/"))
		found[name] = true
		r, ok := seen.resources[name]
		switch {
		case strings.HasPrefix(entry.Name(), ".davd"):
			return fmt.Errorf("%s is left in the share", name)
		case !ok:
			return fmt.Errorf("%s is on the disk, and no listing shows it", name)
		case entry.IsDir() != r.collection:
			return fmt.Errorf("%s is a directory on the disk: %t", name, entry.IsDir())
		case entry.IsDir():
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil && string(content) != r.content {
			err = fmt.Errorf("%s holds %s on the disk, and %s for clients", name, shorten(string(content)), shorten(r.content))
		}
		return err
	})
	if err != nil {
		return err
	}
	for name := range seen.resources {
		if !found[name] {
			return fmt.Errorf("%s is in the listing, but not on the disk", name)
		}
	}
	return s.beside()
}

// beside checks the files beside the share and in the state.
func (s *site) beside() error {
	beside, err := os.ReadDir(filepath.Dir(s.share))
	if err != nil {
		return err
	}
	for _, entry := range beside {
		if !slices.Contains([]string{"share", "state", "lost+found", "ballast"}, entry.Name()) {
			return fmt.Errorf("%s is beside the share", entry.Name())
		}
	}
	state, err := os.ReadDir(s.state)
	if err != nil {
		return err
	}
	for _, entry := range state {
		if strings.HasPrefix(entry.Name(), "control-") && entry.Type() != fs.ModeSocket {
			return fmt.Errorf("%s is in the state, and is no socket", entry.Name())
		}
	}
	const most = 8 // the database, its journals, its lock files, and the file of strays
	if len(state) > most {
		return fmt.Errorf("the state has %d files: %v", len(state), state)
	}
	return nil
}
