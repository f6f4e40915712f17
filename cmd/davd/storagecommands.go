package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs"
)

const (
	storageCheckAbout = `
Compares the tables of the database with each other, and the names in it with
the objects, in both directions. It says which files have lost their content,
which objects no file has, and what can be done. Nothing is changed without
--repair. SHARE is the name of a share with objects; without a configuration
file, --storage says what davd serves.

  --content   reads all objects, and compares their SHA-256 with the database
  --repair    corrects the usage, and objects that would never be removed

With a state in PostgreSQL, davd may be running. Otherwise stop it before.

Exit status: 0 if all is well, 3 if content is lost or the database contradicts
itself, 1 if it can't be checked.

  davd storage check --storage blobs:/srv/objects`

	storageRebuildAbout = `
Makes the names of files from the objects, after the database was lost. All davd
must be stopped, and the name space must be empty. SHARE is the name of a share
with objects; without a configuration file, --storage says what davd serves.

A file gets the name that it had when its content was stored: the store does not
know about later moves and copies. Files that were removed or replaced a short
time ago come back, the older ones with a suffix. Properties and locks are lost,
and so is content that was small enough for the database.

  davd storage rebuild --storage blobs:/srv/objects`
)

func storageCommands(p *program) []command {
	return []command{storageCheckCommand(p), storageRebuildCommand(p)}
}

func storageRebuildCommand(p *program) command {
	cfg, settings := objectsConfig()
	return command{
		name: "storage rebuild", arguments: "[SHARE]", about: storageRebuildAbout,
		settings: flags(settings...),
		run: func(c *cli.Context) error {
			return withObjects(c.Context, p, cfg, c.Args().First(), func(s *objects.Storage, where string) error {
				leave, err := joinAlone(c.Context, s.Node)
				if err != nil {
					return err
				}
				defer leave()
				files := 0
				err = objectfs.Rebuild(c.Context, s.Names, s.Blobs, func(made objectfs.Rebuilt) {
					files++
					if made.Name != made.Wanted {
						_, _ = fmt.Fprintln(p.stdout, client.Shown(cmp.Or(made.Wanted, "an object without a name")+" is "+made.Name))
					}
				})
				if errors.Is(err, objectfs.ErrNotEmpty) {
					return fmt.Errorf("%s has files: rebuild works only for an empty name space", where)
				}
				if err == nil {
					_, err = fmt.Fprintf(p.stdout, "%s: %d files have names again\n", where, files)
				}
				return err
			})
		},
	}
}

// objectsConfig returns the settings of a command for objects.
func objectsConfig() (*config.Config, []*setting.Setting) {
	cfg, settings := operatorConfig()
	s := cfg.Setting("storage")
	s.Help = "the value of --storage that davd serve runs with"
	return cfg, append(settings, s)
}

// withObjects calls do with the objects of a share, or those that --storage names.
func withObjects(ctx context.Context, p *program, cfg *config.Config, share string, do func(s *objects.Storage, where string) error) (err error) {
	if err := cfg.Load(""); err != nil {
		return err
	}
	place, err := placeOf(cfg, share)
	if err != nil {
		return err
	}
	log := newLog(p.stderr, cfg)
	open := state.Open
	switch {
	case cfg.State.URL != "":
		open = state.OpenBeside
	case len(cfg.Shares) > 0:
		open = func(ctx context.Context, cfg *config.Config, log *slog.Logger) (*state.State, error) {
			return state.OpenShared(ctx, cfg, log, func(string, string) error { return errServedAlone })
		}
	}
	kept, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	opened, err := objects.Open(ctx, place, objects.Options{State: kept.State, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return do(opened, place.String())
}

var errServedAlone = errors.New("a share was served alone before: start davd once, which takes over its state")

// placeOf returns the place of the objects of a share, such as /photos or /home/ann.
func placeOf(cfg *config.Config, share string) (objects.Place, error) {
	if len(cfg.Shares) == 0 {
		if cfg.Storage.Kind != "" || share != "" {
			return objects.Place{}, errors.New("name the objects with --storage, or the configuration file and a share")
		}
		return cfg.Storage.Objects, nil
	}
	var with []string
	for _, s := range cfg.Shares {
		if s.Objects == "" {
			continue
		}
		if user, ok := userOf(s.Name, share); ok {
			return objects.Parse(strings.ReplaceAll(s.Objects, config.UserSegment, user))
		}
		with = append(with, s.Name)
	}
	if len(with) == 0 {
		return objects.Place{}, fmt.Errorf("no share in %s has objects", cfg.File)
	}
	return objects.Place{}, fmt.Errorf("name one of the shares with objects: %s", strings.Join(with, ", "))
}

// userOf reports whether the share pattern, whose name may contain {user}, has the instance share,
// and returns the user.
func userOf(pattern, share string) (user string, ok bool) {
	before, after, perUser := strings.Cut(pattern, config.UserSegment)
	if !perUser {
		return "", pattern == share
	}
	user, ok = strings.CutPrefix(share, before)
	if ok {
		user, ok = strings.CutSuffix(user, after)
	}
	return user, ok && user != "" && !strings.Contains(user, "/")
}

// joinAlone makes this process a node, so that it can change names, until leave is called. Without
// other nodes it does nothing.
func joinAlone(ctx context.Context, node cluster.Node) (leave func(), err error) {
	if node == nil {
		return func() {}, nil
	}
	stop := background(ctx, func(ctx context.Context) {
		_ = node.Run(ctx, func(context.Context, []cluster.Adopted) {}) // davd takes over when it starts
	})
	if !joined(ctx, node) {
		stop()
		return nil, errors.New("the database doesn't accept changes: see its log")
	}
	return func() {
		_ = node.Leave(context.WithoutCancel(ctx)) // the others notice
		stop()
	}, nil
}
