package storagetest

import (
	"context"
	"io"
	"io/fs"
	"iter"

	"github.com/davd/davd/storage"
)

// streamChunk is how many members a stream finds at a time.
const streamChunk = 256

// Stream returns the members that seq yields as a storage.Listing, for a storage.Lister in a
// test.
func Stream(seq iter.Seq2[fs.FileInfo, error]) storage.Listing {
	next, stop := iter.Pull2(seq)
	return &stream{next: next, stop: stop}
}

type stream struct {
	next func() (fs.FileInfo, error, bool)
	stop func()
}

func (s *stream) Next(context.Context) (storage.Members, error) {
	var infos infoMembers
	for len(infos) < streamChunk {
		info, err, ok := s.next()
		if !ok {
			err = io.EOF
		}
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (s *stream) Close() error {
	s.stop()
	return nil
}

// infoMembers are storage.Members that already have descriptions.
type infoMembers []fs.FileInfo

func (m infoMembers) Len() int { return len(m) }

func (m infoMembers) Describe(_ context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	for _, info := range m[from:to] {
		dst = append(dst, storage.Entry{Name: info.Name(), Info: info})
	}
	return dst
}
