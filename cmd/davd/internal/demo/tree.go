// Package demo implements davd demo: a tree on storage that behaves like two slow disks,
// commands to try on it, and the display of the responses.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
)

// Latency is the delay of each storage call. With it, copying the tree takes about 15
// seconds.
const Latency = 3 * time.Millisecond

// Archive is the tree with Members members. Spare is an empty collection that behaves as if
// it were on another disk.
const (
	Archive = "/disk1/archive"
	Spare   = "/disk2"
	Members = 1000
)

const (
	firstYear, lastYear = 2016, 2025
	perTopic            = 10
)

// topics are the names of the collections in a year, and of the files in each collection.
var topics = []struct{ collection, file string }{
	{"contracts", "contract"},
	{"drafts", "draft"},
	{"invoices", "invoice"},
	{"letters", "letter"},
	{"minutes", "meeting"},
	{"notes", "note"},
	{"receipts", "receipt"},
	{"reports", "report"},
	{"travel", "journey"},
}

// NewStorage returns the two disks with the tree. It does not add the latency.
func NewStorage(ctx context.Context) (storage.FS, error) {
	fsys := disks{aferofs.New(afero.NewMemMapFs())}
	for _, name := range []string{path.Dir(Archive), Archive, Spare} {
		if err := fsys.Mkdir(ctx, name, 0o777); err != nil {
			return nil, err
		}
	}
	for year := firstYear; year <= lastYear; year++ {
		if err := growYear(ctx, fsys, year); err != nil {
			return nil, err
		}
	}
	return fsys, nil
}

func growYear(ctx context.Context, fsys storage.FS, year int) error {
	dir := path.Join(Archive, strconv.Itoa(year))
	if err := fsys.Mkdir(ctx, dir, 0o777); err != nil {
		return err
	}
	for _, topic := range topics {
		collection := path.Join(dir, topic.collection)
		if err := fsys.Mkdir(ctx, collection, 0o777); err != nil {
			return err
		}
		for n := 1; n <= perTopic; n++ {
			name := path.Join(collection, fmt.Sprintf("%s-%02d.txt", topic.file, n))
			content := fmt.Sprintf("%s %d of %d\n", strings.ToUpper(topic.file[:1])+topic.file[1:], n, year)
			if err := write(ctx, fsys, name, content); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(ctx context.Context, fsys storage.FS, name, content string) error {
	f, err := fsys.OpenFile(ctx, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, content)
	return errors.Join(err, f.Close())
}
