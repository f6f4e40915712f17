package storagetest

import "os"

var escapeChecks = []check{
	// Names are cleaned relative to the root, so ".." can't lead above it.
	{"DotDot", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/../../file", "x")
		f.mkdir("/dir/../../../other")
		f.write("dir/relative", "y")
		f.write("/dir//double", "z")
		f.holds(Tree{"/file": "x", "/dir": collection, "/other": collection, "/dir/relative": "y", "/dir/double": "z"})
		for _, root := range []string{"", ".", "..", "/..", "/../..", "/dir/../..", "/./"} {
			if !f.stat(root).IsDir() {
				f.t.Errorf("Stat(%q) doesn't describe a collection", root)
			}
			if members := f.list(root); members["file"] == nil || members["dir"] == nil {
				f.t.Errorf("%q is not the root: it contains %v", root, members)
			}
			f.succeeds(f.tryOpen(root, os.O_RDONLY))
		}
		f.succeeds(f.Rename(f.ctx, "/../file", "/../../renamed"))
		f.succeeds(f.RemoveAll(f.ctx, "/dir/../../other"))
		f.holds(Tree{"/renamed": "x", "/dir": collection, "/dir/relative": "y", "/dir/double": "z"})
	}},
	{"DotDotIsNoWayAroundAMissingParent", func(f *fixture) {
		f.write("/file", "x")
		// The name is cleaned before it is looked up.
		f.stat("/no/../file")
		f.stat("/file/../file")
		f.holds(Tree{"/file": "x"})
	}},
}
