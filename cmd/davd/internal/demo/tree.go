// Package demo implements davd demo: a tree on storage that behaves like two slow disks,
// commands to try on it, and the display of the responses.
package demo

import (
	"fmt"
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
func NewStorage() (storage.FS, error) {
	memory := afero.NewMemMapFs()
	if err := memory.MkdirAll(Spare, 0o777); err != nil {
		return nil, err
	}
	for year := firstYear; year <= lastYear; year++ {
		for _, topic := range topics {
			for n := 1; n <= perTopic; n++ {
				name := fmt.Sprintf("%s/%d/%s/%s-%02d.txt", Archive, year, topic.collection, topic.file, n)
				content := fmt.Sprintf("%s %d of %d\n", strings.ToUpper(topic.file[:1])+topic.file[1:], n, year)
				if err := afero.WriteFile(memory, name, []byte(content), 0o666); err != nil {
					return nil, err
				}
			}
		}
	}
	return disks{aferofs.New(memory)}, nil
}
