package storagetest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

// large is the size, in bytes, of a file that takes several reads and writes.
const large = 5<<20 + 1

var contentChecks = []check{
	{"WriteAndRead", func(f *fixture) {
		for _, content := range []string{"", "x", "a\x00b\r\nc", strings.Repeat("0123456789", 10_000)} {
			f.write("/file", content)
			f.holds(Tree{"/file": content})
		}
	}},
	{"LargeFile", func(f *fixture) {
		want := noise(large)
		file := f.open("/file", os.O_RDWR|os.O_CREATE)
		n, err := io.Copy(file, bytes.NewReader(want))
		f.succeeds(err)
		f.succeeds(file.Close())
		if got := readFile(f.t, f.FS, "/file"); n != large || got != string(want) {
			f.t.Errorf("wrote %d bytes, read %d; want %d, the same", n, len(got), large)
		}
		if got := f.stat("/file").Size(); got != large {
			f.t.Errorf("size %d, want %d", got, large)
		}
	}},
	{"Truncate", func(f *fixture) {
		f.write("/file", "a long content")
		f.succeeds(f.tryOpen("/file", os.O_RDWR))
		f.holds(Tree{"/file": "a long content"})
		f.succeeds(f.tryOpen("/file", os.O_RDWR|os.O_TRUNC))
		f.holds(Tree{"/file": ""})
		f.write("/file", "a long content")
		f.write("/file", "short")
		f.holds(Tree{"/file": "short"})
	}},
	{"Overwrite", func(f *fixture) {
		f.write("/file", "0123456789")
		file := f.open("/file", os.O_RDWR)
		f.seek(file, 3, io.SeekStart, 3)
		f.put(file, "abc")
		f.get(file, 2, "67")
		f.succeeds(file.Close())
		f.holds(Tree{"/file": "012abc6789"})
	}},
	{"OpenRead", func(f *fixture) {
		f.write("/file", "content")
		f.mkdir("/dir")
		for _, name := range []string{"/file", "/dir", "/"} {
			f.succeeds(f.tryOpen(name, os.O_RDONLY))
		}
	}},
	{"Seek", func(f *fixture) {
		f.write("/file", "0123456789")
		file := f.open("/file", os.O_RDONLY)
		f.seek(file, 0, io.SeekEnd, 10)
		f.seek(file, -3, io.SeekEnd, 7)
		f.get(file, 2, "78")
		f.seek(file, -4, io.SeekCurrent, 5)
		f.get(file, 1, "5")
		f.seek(file, 0, io.SeekStart, 0)
		f.get(file, 10, "0123456789")
		if n, err := file.Read(make([]byte, 1)); n != 0 || !atEnd(err) {
			f.t.Errorf("reading at the end: %d, %v; want io.EOF", n, err)
		}
		if _, err := file.Seek(-1, io.SeekStart); err == nil {
			f.t.Error("no error from seeking to before the start")
		}
		f.seek(file, 0, io.SeekStart, 0)
		f.get(file, 1, "0")
	}},
	{"ReadBeyondTheEnd", func(f *fixture) {
		f.write("/file", "0123456789")
		file := f.open("/file", os.O_RDONLY)
		f.seek(file, 20, io.SeekStart, 20)
		if n, err := file.Read(make([]byte, 1)); n != 0 || !atEnd(err) {
			f.t.Errorf("reading beyond the end: %d, %v; want io.EOF", n, err)
		}
	}},
	{"Append", func(f *fixture) {
		f.write("/file", "one")
		file := f.open("/file", os.O_WRONLY|os.O_APPEND)
		f.put(file, " two")
		f.succeeds(file.Close())
		f.holds(Tree{"/file": "one two"})
	}},
	{"WriteToFileOpenToRead", func(f *fixture) {
		f.write("/file", "content")
		file := f.open("/file", os.O_RDONLY)
		if _, err := io.WriteString(file, "x"); err == nil {
			f.t.Error("no error from writing")
		}
		f.succeeds(file.Close())
		f.holds(Tree{"/file": "content"})
	}},
	{"ReadCollection", func(f *fixture) {
		f.mkdir("/dir")
		file := f.open("/dir", os.O_RDONLY)
		if n, err := file.Read(make([]byte, 1)); n != 0 || err == nil || atEnd(err) {
			f.t.Errorf("reading a collection: %d, %v; want an error, but not io.EOF", n, err)
		}
	}},
	{"TwoReaders", func(f *fixture) {
		f.write("/file", "0123456789")
		first, second := f.open("/file", os.O_RDONLY), f.open("/file", os.O_RDONLY)
		for i := range 5 {
			f.get(first, 1, strconv.Itoa(i))
			f.get(second, 2, fmt.Sprintf("%d%d", 2*i, 2*i+1))
		}
	}},
}

// atEnd reports whether err is io.EOF itself, because readers compare it with ==.
func atEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above

// noise returns n bytes without a repeating pattern. They are the same at each call.
func noise(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // It never fails.
	return content
}

func (f streams) seek(file io.Seeker, offset int64, whence int, want int64) {
	f.t.Helper()
	if got, err := file.Seek(offset, whence); err != nil || got != want {
		f.t.Fatalf("Seek(%d, %d) = %d, %v; want %d", offset, whence, got, err, want)
	}
}

func (f streams) put(file io.Writer, content string) {
	f.t.Helper()
	if n, err := io.WriteString(file, content); err != nil || n != len(content) {
		f.t.Fatalf("wrote %d of %d bytes: %v", n, len(content), err)
	}
}

func (f streams) get(file io.Reader, n int, want string) {
	f.t.Helper()
	got := make([]byte, n)
	if _, err := io.ReadFull(file, got); err != nil || string(got) != want {
		f.t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}
