package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/names"
)

// storageChecked is the result of davd storage check.
type storageChecked struct {
	Storage        string `json:"storage"`
	Files          int64  `json:"files"`
	Bytes          int64  `json:"bytes"`
	Read           int64  `json:"read"`
	Unknown        int64  `json:"unknown"`
	Waiting        int64  `json:"waiting"`
	Missing        int64  `json:"missing"`
	WrongSize      int64  `json:"wrongSize"`
	Corrupt        int64  `json:"corrupt"`
	Contradictions int64  `json:"contradictions"`
	Orphans        int64  `json:"orphans"`
}

func storageCheckCommand(p *program) command {
	cfg, settings := objectsConfig()
	var content, repair, asJSON bool
	settings = append(settings,
		&setting.Setting{Name: "content", FlagOnly: true, Into: setting.Switch(&content), Help: "read all objects and compare their SHA-256"},
		&setting.Setting{Name: "repair", FlagOnly: true, Into: setting.Switch(&repair), Help: "correct what needs no backup for that"},
		jsonFlag(&asJSON, "print JSON, and no problems"))
	return command{
		name: "storage check", arguments: "[SHARE]", about: storageCheckAbout,
		settings: flags(settings...),
		run: func(c *cli.Context) error {
			return withObjects(c.Context, p, cfg, c.Args().First(), func(s *objects.Storage, where string) error {
				if repair {
					if err := repairNames(c.Context, s); err != nil {
						return err
					}
				}
				how := objectfs.Checking{Content: content, Progress: showChecked(p, time.Now(), where)}
				if !asJSON {
					how.Found = func(problem objectfs.Problem) {
						_, _ = fmt.Fprintln(p.stdout, client.Shown(describeProblem(problem)))
					}
				}
				done, err := objectfs.Check(c.Context, s.Names, s.Blobs, how)
				if err != nil {
					return err
				}
				if err := writeStorageChecked(p, where, done, content, asJSON); err != nil || !done.Damaged() {
					return err
				}
				return &exitError{fmt.Errorf("%s is damaged (files without their content: %d; contradictions in the database: %d): see docs/objects.md, “Check”",
					where, done.Lost(), done.Contradictions), exitDamaged}
			})
		},
	}
}

func repairNames(ctx context.Context, s *objects.Storage) error {
	leave, err := joinAlone(ctx, s.Node)
	if err != nil {
		return err
	}
	defer leave()
	return s.Names.Repair(ctx)
}

// progressPause is the time between two lines of showChecked.
const progressPause = 10 * time.Second

// showChecked returns a function that says from time to time how far a check is.
func showChecked(p *program, last time.Time, where string) func(objectfs.Checked) {
	return func(c objectfs.Checked) {
		now := time.Now()
		if now.Sub(last) < progressPause {
			return
		}
		last = now
		line := fmt.Sprintf("%s: %d objects with %s compared", where, c.Files, binarySize(c.Bytes))
		if c.Read > 0 {
			line += ", " + binarySize(c.Read) + " read"
		}
		_, _ = fmt.Fprintln(p.stderr, line)
	}
}

func describeProblem(problem objectfs.Problem) string {
	name := cmp.Or(problem.Name, "a removed file")
	const restore = "copy the object back from a backup of the bucket, or remove the file"
	switch problem.Kind {
	case objectfs.Missing:
		return fmt.Sprintf("%s: its object %s is missing (%d bytes): %s", name, problem.Key, problem.Want, restore)
	case objectfs.WrongSize:
		return fmt.Sprintf("%s: its object %s has %d bytes instead of %d: %s", name, problem.Key, problem.Have, problem.Want, restore)
	case objectfs.Corrupt:
		return fmt.Sprintf("%s: the content of its object %s is not what was stored, its SHA-256 differs: %s", name, problem.Key, restore)
	case objectfs.Contradiction:
		return describeFlaw(problem.Flaw)
	default:
		return fmt.Sprintf("the object %s (%d bytes) belongs to no file: davd removes it when it is a day old", problem.Key, problem.Have)
	}
}

func describeFlaw(f names.Flaw) string {
	const restore = "restore a backup of the database"
	entry := cmp.Or(f.Name, fmt.Sprintf("entry %d", f.ID))
	switch f.Kind {
	case names.Lost:
		return fmt.Sprintf("database: %s (entry %d) can't be reached, because the collections above it don't lead to the root: %s", entry, f.ID, restore)
	case names.Unknown:
		return fmt.Sprintf("database: %s (entry %d): its object %s has no row, or will be removed: %s", entry, f.ID, f.Key, restore)
	case names.Differs:
		return fmt.Sprintf("database: %s (entry %d) has %d bytes and its object %d: %s", entry, f.ID, f.Have, f.Want, restore)
	case names.Forgotten:
		return fmt.Sprintf("database: the object %s (%d bytes) has no file, and would never be removed: run davd storage check --repair", f.Key, f.Have)
	default:
		return fmt.Sprintf("database: the files have %d bytes, and the quota counts %d: run davd quota recount, or davd storage check --repair", f.Want, f.Have)
	}
}

func writeStorageChecked(p *program, where string, done objectfs.Checked, content, asJSON bool) error {
	if asJSON {
		return writeJSON(p.stdout, storageChecked{
			Storage: where, Files: done.Files, Bytes: done.Bytes, Read: done.Read, Unknown: done.Unknown, Waiting: done.Waiting,
			Missing: done.Missing, WrongSize: done.WrongSize, Corrupt: done.Corrupt, Contradictions: done.Contradictions, Orphans: done.Orphans,
		})
	}
	read := ""
	if content {
		read = fmt.Sprintf("; %d bytes were read, and %d objects have another content", done.Read, done.Corrupt)
		if done.Unknown > 0 {
			read += fmt.Sprintf("; %d have no checksum", done.Unknown)
		}
	}
	_, err := fmt.Fprintf(p.stdout, "%s: %d objects with %d bytes have names; %d wait to be removed or named; %d are of nobody; %d are missing, %d have a wrong size%s; the database has %d contradictions\n",
		where, done.Files, done.Bytes, done.Waiting, done.Orphans, done.Missing, done.WrongSize, read, done.Contradictions)
	return err
}
