package storage

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Sweeper is an [FS] whose files have, for as long as they are not complete or for
// a moment, a reserved name, which a kill leaves behind.
type Sweeper interface {
	FS

	// Sweep removes what strays says that a process has left, and notes in it
	// from then on what this one would leave.
	Sweep(ctx context.Context, strays *Strays) ([]Swept, error)
}

// Swept says what became of a reserved name that a process has left.
type Swept struct {
	Name string
	// Err says why it stays. It is noted still.
	Err error
}

// Sweep removes the reserved names that strays has of a process that died, and
// has fsys note there from then on those that it makes. Nothing else may use fsys
// before it returns. Names that were never there, or are gone, are no error; the
// error says that fsys can't be reached, and nothing was dropped.
//
// Without a [Sweeper] it does nothing.
func Sweep(ctx context.Context, fsys FS, strays *Strays) ([]Swept, error) {
	sweeper, ok := fsys.(Sweeper)
	if !ok || strays == nil {
		return nil, nil
	}
	return sweeper.Sweep(ctx, strays)
}

// StrayKeeper is a journal, or another part of the state, that has Strays as well.
type StrayKeeper interface {
	Strays() *Strays
}

// StraysOf returns the Strays of kept, nil if that is no [StrayKeeper].
func StraysOf(kept any) *Strays {
	if keeper, ok := kept.(StrayKeeper); ok {
		return keeper.Strays()
	}
	return nil
}

// Strays keeps, in a file, the reserved names that this process gives to files and
// would leave if it were killed, so that the next one can remove them. A note costs
// one write, and one more when it is over; none waits for the disk. What was written
// outlives the process, but not a crash of the machine.
//
// The file consists of slots, which are used again: it is as long as there were
// notes at one time. All methods may be called concurrently, and on nil, which
// keeps nothing.
type Strays struct {
	file *os.File
	left []Stray

	mu sync.Mutex
	// free are the offsets of slots below end that hold nothing.
	free []int64
	end  int64
	// live are the notes of this process by offset.
	live map[int64]Stray
	// moved are, by the offset of one of live, those that Follow has made of it.
	moved map[int64][]Stray
}

// Stray is one note. The zero value is that of a name that was not noted.
type Stray struct {
	// Name is what the backend calls it, and Root what identifies the share; ""
	// where nothing does.
	Name, Root string

	in    *Strays
	at    int64 // its first slot
	slots int64
}

// A slot begins with straySign, or with anything else if it is free. A record is
// "+checksum root name\n", the checksum that of what follows; a long one takes several
// slots in a row. It is written before its name is made, so that one that is torn
// means nothing.
const (
	straySlot = 512 // bytes
	straySign = '+'
	// strayHead is the length of what comes before the root, in bytes.
	strayHead = len("+01234567 ")
)

// OpenStrays opens the file at path, or makes it. Only one process may have it open.
func OpenStrays(path string) (*Strays, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file", path)
	}
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &Strays{file: file, live: map[int64]Stray{}, moved: map[int64][]Stray{}}
	for int(s.end) < len(content) {
		if stray, ok := parseStray(content[s.end:]); ok {
			stray.in, stray.at = s, s.end
			s.left = append(s.left, stray)
			s.end += stray.slots * straySlot
			continue
		}
		s.free = append(s.free, s.end)
		s.end += straySlot
	}
	return s, nil
}

func parseStray(content []byte) (Stray, bool) {
	line, _, ended := bytes.Cut(content, []byte{'\n'})
	if !ended || len(line) < strayHead || line[0] != straySign {
		return Stray{}, false
	}
	sum, err := strconv.ParseUint(string(line[1:strayHead-1]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE(line[strayHead:]) {
		return Stray{}, false
	}
	root, escaped, _ := bytes.Cut(line[strayHead:], []byte{' '})
	name, err := url.PathUnescape(string(escaped))
	return Stray{Name: name, Root: string(root), slots: slots(len(line) + 1)}, err == nil
}

// slots is how many hold n bytes.
func slots(n int) int64 { return int64((n + straySlot - 1) / straySlot) }

// Close ends the use of the file.
func (s *Strays) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

// Left returns what a process has noted that died.
func (s *Strays) Left() []Stray {
	if s == nil {
		return nil
	}
	return s.left
}

// Note is called before name, of the share that root identifies, is made. If it
// can't be written down, as when there is no room, the zero value is returned: the
// name is a stray only if the process is killed as well.
func (s *Strays) Note(root, name string) Stray {
	if s == nil {
		return Stray{}
	}
	body := root + " " + url.PathEscape(name) + "\n"
	record := fmt.Appendf(make([]byte, 0, strayHead+len(body)), "%c%08x %s", straySign, crc32.ChecksumIEEE([]byte(body[:len(body)-1])), body)
	stray := Stray{Name: name, Root: root, in: s, slots: slots(len(record))}
	s.take(&stray)
	if _, err := s.file.WriteAt(record, stray.at); err != nil {
		stray.Forget()
		return Stray{}
	}
	return stray
}

// take gives stray its slots.
func (s *Strays) take(stray *Stray) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; stray.slots == 1 && last >= 0 {
		stray.at = s.free[last]
		s.free = s.free[:last]
	} else {
		stray.at = s.end
		s.end += stray.slots * straySlot
	}
	s.live[stray.at] = *stray
}

// Follow is called before a collection is renamed: from and to begin the names of
// its members before and after that, with a separator at the end. What is noted
// under the one is noted under the other as well.
func (s *Strays) Follow(from, to string) {
	for _, stray := range s.below(from) {
		if also := s.Note(stray.Root, to+stray.Name[len(from):]); also.in != nil {
			s.join(stray, also)
		}
	}
}

func (s *Strays) below(dir string) (below []Stray) {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stray := range s.live {
		if strings.HasPrefix(stray.Name, dir) {
			below = append(below, stray)
		}
	}
	return below
}

// join has also forgotten with stray, at once if that is over.
func (s *Strays) join(stray, also Stray) {
	s.mu.Lock()
	is, ok := s.live[stray.at]
	if ok = ok && is == stray; ok {
		s.moved[stray.at] = append(s.moved[stray.at], also)
	}
	s.mu.Unlock()
	if !ok {
		also.Forget()
	}
}

// Forget is called once the name is gone, or has become another.
func (n Stray) Forget() {
	if n.in == nil {
		return
	}
	// What stays says of a name that is not there, that it may be.
	_, _ = n.in.file.WriteAt([]byte{0}, n.at)
	for _, also := range n.in.release(n) {
		also.Forget()
	}
}

// release frees the slots of stray and returns what Follow has made of it.
func (s *Strays) release(stray Stray) []Stray {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range stray.slots {
		s.free = append(s.free, stray.at+i*straySlot)
	}
	moved := s.moved[stray.at]
	delete(s.live, stray.at)
	delete(s.moved, stray.at)
	return moved
}
