package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// layout is a tree of collections of files.
type layout struct{ collections, files, size int }

// members returns the number of a tree's members, including its root.
func (l layout) members() int { return 1 + l.collections + l.collections*l.files }

func (l layout) plant(dir string) error {
	for c := range l.collections {
		if err := plantFiles(filepath.Join(dir, collectionName(c)), l.files, func(f int) []byte {
			return content(c*l.files+f, l.size)
		}); err != nil {
			return err
		}
	}
	return nil
}

// collectionName returns the name of collection number i in a layout.
func collectionName(i int) string { return fmt.Sprintf("c%04d", i) }

// fileName returns the name of file number i in a collection.
func fileName(i int) string { return fmt.Sprintf("f%05d.txt", i) }

// plantFiles creates n files in a new directory. If content is nil, they are empty.
func plantFiles(dir string, n int, content func(int) []byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for f := range n {
		var data []byte
		if content != nil {
			data = content(f)
		}
		if err := os.WriteFile(filepath.Join(dir, fileName(f)), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// content returns the content of file number n. It differs from that of all other files, and has
// no holes.
func content(n, size int) []byte {
	data := bytes.Repeat([]byte("davd and its peers, side by side\n"), size/33+1)[:size]
	copy(data, fmt.Sprintf("%010d\n", n))
	return data
}

// plantBig creates a file. Its size is rounded down to a whole number of MiB.
func plantBig(name string, size int64) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for i := range int(size / mib) {
		if _, err := file.Write(content(i, mib)); err != nil {
			return err
		}
	}
	return file.Close()
}
