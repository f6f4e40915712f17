// Package strays records the temporary files that a killed process would leave behind, so
// that the next process can remove them.
package strays

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

	"github.com/davd/davd/storage"
)

// Sweeper is a storage.FS that gives incomplete files reserved names, or uses such names
// for a moment. A kill of the process leaves them behind.
type Sweeper interface {
	// Sweep removes the names that file contains from a dead process. From then on, the
	// FS notes in file the names that it would leave behind itself.
	Sweep(ctx context.Context, file *File) ([]Swept, error)

	// SweepNotes removes the names that left contains, if they are in this FS. The FS may be in
	// use.
	SweepNotes(ctx context.Context, left []Note) ([]Swept, error)

	// NoteIn makes the FS note its names in notes. The FS must not be in use yet.
	NoteIn(ctx context.Context, notes Notes) error
}

// Notes is where an FS notes its names: a *[File], or a state that several processes share.
type Notes interface {
	// Add records name before it is created; root identifies the share. The zero value means
	// that it could not.
	Add(root, name string) Note
	// Follow must be called before a collection is renamed. See [File.Follow].
	Follow(from string, into Notes, root, to string)
}

// Swept is the result of removing one reserved name that a dead process left behind.
type Swept struct {
	Name string
	// Err is the reason why the name still exists, or nil. With an error, the name
	// remains in the File.
	Err error
}

// Sweep removes the reserved names that file contains from a dead process. From then on,
// fsys notes in file the reserved names that it creates. Sweep must return before anyone
// uses fsys. A name that doesn't exist is not an error. If Sweep returns an error, fsys
// can't be reached, and every note is kept. Without a [Sweeper], Sweep does nothing.
//
// Decorators don't forward Sweep, so fsys must be the backend itself.
func Sweep(ctx context.Context, fsys storage.FS, file *File) ([]Swept, error) {
	sweeper, ok := fsys.(Sweeper)
	if !ok || file == nil {
		return nil, nil
	}
	return sweeper.Sweep(ctx, file)
}

// SweepNotes removes the names that left contains and that are in fsys, which may be in use. Without
// a [Sweeper], it does nothing.
func SweepNotes(ctx context.Context, fsys storage.FS, left []Note) ([]Swept, error) {
	sweeper, ok := fsys.(Sweeper)
	if !ok || len(left) == 0 {
		return nil, nil
	}
	return sweeper.SweepNotes(ctx, left)
}

// NoteIn makes fsys note its names in notes. fsys must not be in use yet. Without a [Sweeper], it does
// nothing.
func NoteIn(ctx context.Context, fsys storage.FS, notes Notes) error {
	if sweeper, ok := fsys.(Sweeper); ok {
		return sweeper.NoteIn(ctx, notes)
	}
	return nil
}

// File records the reserved names that this process would leave behind if it were killed,
// so that the next process can remove them. Recording a name costs one write, and removing
// the record another; neither waits for the disk. Records survive the death of the process,
// but not a crash of the machine.
//
// The file consists of slots, which are reused, so it grows only to the greatest number of
// notes at one time. All methods are safe for concurrent use. They also work on nil, which
// records nothing.
type File struct {
	file *os.File
	left []Note

	mu sync.Mutex
	// free are the offsets of the unused slots below end.
	free []int64
	end  int64
	// live are the notes of this process, by offset.
	live map[int64]liveNote
}

// Note is one record. The zero value is a note that was not recorded.
type Note struct {
	// Name is the backend's name for the file. Root identifies the share, or is "" if
	// nothing identifies it.
	Name, Root string

	in    *File
	at    int64 // its first slot
	slots int64
	// shared is set if the note is not in a File.
	shared *sharedNote
}

type sharedNote struct{ forget func() }

// NewNote returns a note that [Notes] other than a [File] have recorded. Forget calls forget.
func NewNote(root, name string, forget func()) Note {
	return Note{Name: name, Root: root, shared: &sharedNote{forget}}
}

// liveNote is a note and those that Follow added for it.
type liveNote struct {
	Note
	moved []Note
}

// A slot starts with inUse; any other byte means that it is free. A record is
// "+checksum root name\n", where the checksum covers the text after it. A long record
// takes several slots in a row. A record is written before the file that it names is
// created, so a torn record can be ignored.
const (
	slotSize = 512 // bytes
	inUse    = '+'
	// headSize is the length of the part before the root, in bytes.
	headSize = len("+01234567 ")
)

// Open opens the file at path, or creates it. Two processes must not have it open.
func Open(path string) (*File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f := &File{file: file, live: map[int64]liveNote{}}
	for int(f.end) < len(content) {
		if note, ok := parse(content[f.end:]); ok {
			note.in, note.at = f, f.end
			f.left = append(f.left, note)
			f.end += note.slots * slotSize
			continue
		}
		f.free = append(f.free, f.end)
		f.end += slotSize
	}
	return f, nil
}

func parse(content []byte) (Note, bool) {
	line, _, ended := bytes.Cut(content, []byte{'\n'})
	if !ended || len(line) < headSize || line[0] != inUse {
		return Note{}, false
	}
	sum, err := strconv.ParseUint(string(line[1:headSize-1]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE(line[headSize:]) {
		return Note{}, false
	}
	root, escaped, _ := bytes.Cut(line[headSize:], []byte{' '})
	name, err := url.PathUnescape(string(escaped))
	return Note{Name: name, Root: string(root), slots: slots(len(line) + 1)}, err == nil
}

// slots returns how many slots n bytes need.
func slots(n int) int64 { return int64((n + slotSize - 1) / slotSize) }

// Close closes the file.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	return f.file.Close()
}

// Left returns the notes of the process that died.
func (f *File) Left() []Note {
	if f == nil {
		return nil
	}
	return f.left
}

// Add records name before it is created; root identifies the share. If the record can't
// be written, for example because the disk is full, Add returns the zero value. Then the
// name is left behind only if the process is killed as well.
func (f *File) Add(root, name string) Note {
	if f == nil {
		return Note{}
	}
	body := root + " " + url.PathEscape(name) + "\n"
	record := fmt.Appendf(make([]byte, 0, headSize+len(body)), "%c%08x %s", inUse, crc32.ChecksumIEEE([]byte(body[:len(body)-1])), body)
	note := Note{Name: name, Root: root, in: f, slots: slots(len(record))}
	f.take(&note)
	if _, err := f.file.WriteAt(record, note.at); err != nil {
		note.Forget()
		return Note{}
	}
	return note
}

// take allocates slots for note.
func (f *File) take(note *Note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := len(f.free) - 1; note.slots == 1 && last >= 0 {
		note.at = f.free[last]
		f.free = f.free[:last]
	} else {
		note.at = f.end
		f.end += note.slots * slotSize
	}
	f.live[note.at] = liveNote{Note: *note}
}

// Follow must be called before a collection is renamed, possibly to the share root, whose
// File is into. from and to are the prefixes that the names of its members have before and
// after the rename, each with a separator at the end. Follow adds a note with the new name
// for each note with the old one.
func (f *File) Follow(from string, into Notes, root, to string) {
	for _, note := range f.below(from) {
		if also := into.Add(root, to+note.Name[len(from):]); also != (Note{}) {
			f.join(note, also)
		}
	}
}

func (f *File) below(dir string) (below []Note) {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, note := range f.live {
		if strings.HasPrefix(note.Name, dir) {
			below = append(below, note.Note)
		}
	}
	return below
}

// join links the note also to note, so that forgetting note also forgets the other one. If note
// is already forgotten, join forgets also immediately.
func (f *File) join(note, also Note) {
	f.mu.Lock()
	is := f.live[note.at]
	live := is.Note == note
	if live {
		is.moved = append(is.moved, also)
		f.live[note.at] = is
	}
	f.mu.Unlock()
	if !live {
		also.Forget()
	}
}

// Forget removes the note. Call it when the file no longer exists or has another name.
func (n Note) Forget() {
	if n.shared != nil {
		n.shared.forget()
		return
	}
	if n.in == nil {
		return
	}
	// If this write fails, the note names a file that doesn't exist, which is harmless.
	_, _ = n.in.file.WriteAt([]byte{0}, n.at)
	for _, also := range n.in.release(n) {
		also.Forget()
	}
}

// release frees the slots of note and returns the notes that Follow added for it.
func (f *File) release(note Note) []Note {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range note.slots {
		f.free = append(f.free, note.at+i*slotSize)
	}
	moved := f.live[note.at].moved
	delete(f.live, note.at)
	return moved
}
