package storagetest

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/davd/davd/storage"
)

// hostileNames are segments that decoding, quoting, cleaning, folding or normalising would
// change.
var hostileNames = map[string]string{
	"Percent":          "100%",
	"PercentSlash":     "a%2Fb",
	"PercentDotDot":    "%2e%2e",
	"PercentPercent":   "%2525",
	"Hash":             "a#b",
	"Question":         "a?b=c",
	"Ampersand":        "a&amp;b",
	"Markup":           `<a href="b">'c'<br>`,
	"CDATA":            "]]>",
	"Quotes":           `"'` + "`",
	"Semicolon":        "a;b:c,d",
	"Star":             "*[a-z]{b}~$HOME",
	"LeadingSpace":     "  a",
	"TrailingSpace":    "a  ",
	"Space":            " ",
	"Newline":          "a\nb",
	"CarriageReturn":   "a\r\nb",
	"Tab":              "a\tb",
	"Backspace":        "a\bb\x7f\x1b[31m",
	"Backslash":        `a\b`,
	"BackslashDotDot":  `..\..\a`,
	"Plus":             "a+b",
	"Dash":             "-rf",
	"DashDash":         "--",
	"Dot":              ".hidden",
	"ThreeDots":        "...",
	"DotDotSpace":      ".. ",
	"TrailingDot":      "a.",
	"Drive":            "C:",
	"Device":           "NUL",
	"DeviceWithSuffix": "con.txt",
	"Stream":           "a::$DATA",
	"Emoji":            "👩‍👩‍👧‍👦🏳️‍🌈",
	"RightToLeft":      "\u202etxt.exe",
	"ZeroWidth":        "a\u200bb\ufeff",
	"Umlaut":           "äöüß",
	"Chinese":          "文件",
	"InvalidUTF8":      "\xff\xfe",
	"Latin1":           "caf\xe9",
	"Surrogate":        "\xed\xa0\x80",
	"Longest":          strings.Repeat("n", 255),
}

// pairs are different names that some storages treat as the same.
var pairs = map[string][2]string{
	"Case":          {"Readme", "README"},
	"Normalisation": {"caf\u00e9", "cafe\u0301"},
	"TrailingSpace": {"a", "a "},
	"TrailingDot":   {"a", "a."},
	"InvalidUTF8":   {"\xff", "\xfe"},
	"Escaped":       {"a b", "a%20b"},
}

func nameChecks() []check {
	all := []check{
		{"NameTooLong", nameTooLong},
		{"NameWithNUL", nameWithNUL},
		{"DeepName", deepName},
	}
	for _, label := range slices.Sorted(maps.Keys(hostileNames)) {
		all = append(all, check{"Name" + label, func(f *fixture) { f.nameWorks(hostileNames[label]) }})
	}
	for _, label := range slices.Sorted(maps.Keys(pairs)) {
		all = append(all, check{"TwoNames" + label, func(f *fixture) { f.namesDiffer(pairs[label][0], pairs[label][1]) }})
	}
	return all
}

// nameWorks checks all calls with a file and a collection of this name.
func (f *fixture) nameWorks(name string) {
	f.t.Helper()
	file, dir := "/"+name, "/dir/"+name
	f.mkdir("/dir", dir)
	f.write(file, "x")
	f.write(dir+"/"+name, "y")
	f.holds(Tree{file: "x", "/dir": collection, dir: collection, dir + "/" + name: "y"})
	for _, full := range []string{file, dir, dir + "/" + name} {
		if got := f.stat(full).Name(); got != name {
			f.t.Errorf("Stat(%q) has the name %q", full, got)
		}
	}
	f.succeeds(f.Rename(f.ctx, file, "/plain"))
	f.succeeds(f.Rename(f.ctx, "/plain", file))
	f.succeeds(f.Rename(f.ctx, dir, "/plain"))
	f.holds(Tree{file: "x", "/dir": collection, "/plain": collection, "/plain/" + name: "y"})
	f.succeeds(f.Rename(f.ctx, "/plain", dir))
	f.succeeds(copyFile(f.ctx, f.FS, file, "/copy", nil))
	f.commits(file, "replaced", false)
	f.holds(Tree{file: "replaced", "/dir": collection, dir: collection, dir + "/" + name: "y", "/copy": "x"})
	f.succeeds(storage.Remove(f.ctx, f.FS, file))
	f.succeeds(f.RemoveAll(f.ctx, dir))
	f.commits(file, "made", true)
	f.holds(Tree{file: "made", "/dir": collection, "/copy": "x"})
}

// namesDiffer checks that the storage either accepts both names or reports that the second
// one exists.
func (f *fixture) namesDiffer(first, second string) {
	f.t.Helper()
	f.mkdir("/" + first)
	if err := f.Mkdir(f.ctx, "/"+second, 0o777); err != nil {
		f.fails(err, fs.ErrExist)
		f.holds(Tree{"/" + first: collection})
		f.stat("/" + second)
		return
	}
	f.write("/"+second+"/file", "x")
	f.holds(Tree{"/" + first: collection, "/" + second: collection, "/" + second + "/file": "x"})
	f.missing("/" + first + "/file")
	f.succeeds(f.RemoveAll(f.ctx, "/"+second))
	f.holds(Tree{"/" + first: collection})
}

// nameTooLong checks that the storage either accepts a long name or refuses it at every call.
func nameTooLong(f *fixture) {
	long := "/" + strings.Repeat("n", 256)
	if err := f.Mkdir(f.ctx, long, 0o777); err == nil {
		f.holds(Tree{long: collection})
		return
	}
	f.write("/src", "x")
	_, err := f.Stat(f.ctx, long)
	for _, err := range []error{
		err,
		f.Mkdir(f.ctx, long, 0o777),
		f.tryOpen(long, modes[0]),
		f.Rename(f.ctx, "/src", long),
		copyFile(f.ctx, f.FS, "/src", long, nil),
		f.tryReplace(long, "x", false),
	} {
		f.fails(err, syscall.ENAMETOOLONG, fs.ErrInvalid, fs.ErrNotExist)
	}
	f.holds(Tree{"/src": "x"})
}

// nameWithNUL checks that the storage either accepts a name with a NUL or refuses it.
func nameWithNUL(f *fixture) {
	if err := f.Mkdir(f.ctx, "/a\x00b", 0o777); err == nil {
		f.holds(Tree{"/a\x00b": collection})
		return
	}
	f.write("/src", "x")
	f.missing("/a\x00b")
	f.missing("/src\x00")
	f.fails(f.Mkdir(f.ctx, "/a\x00b", 0o777), fs.ErrInvalid)
	f.fails(f.tryOpen("/a\x00b", modes[0]), fs.ErrInvalid)
	f.fails(f.Rename(f.ctx, "/src", "/a\x00b"), fs.ErrInvalid)
	f.fails(f.tryReplace("/a\x00b", "x", false), fs.ErrInvalid)
	f.fails(f.Rename(f.ctx, "/src\x00", "/dst"), fs.ErrNotExist)
	f.fails(storage.Remove(f.ctx, f.FS, "/src\x00"), fs.ErrNotExist)
	f.succeeds(f.RemoveAll(f.ctx, "/src\x00"))
	f.holds(Tree{"/src": "x"})
}

// deepName nests collections up to a path of 4,000 bytes.
func deepName(f *fixture) {
	name := ""
	for range 20 {
		name += "/" + strings.Repeat("d", 199)
		f.mkdir(name)
	}
	f.write(name+"/file", "x")
	if got := readFile(f.t, f.FS, name+"/file"); got != "x" {
		f.t.Errorf("read %q", got)
	}
	f.succeeds(f.RemoveAll(f.ctx, name[:200]))
	f.holds(Tree{})
}
