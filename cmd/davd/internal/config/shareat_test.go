package config

import "testing"

// TestShareAt: the share with the longest root contains a name.
func TestShareAt(t *testing.T) {
	shares := []*Share{{Name: "/photos"}, {Name: "/home/{user}"}, {Name: "/home/guests"}, {Name: "/photos/2024"}}
	c := &Config{sharesByRoot: sharesByRoot(shares)}
	for name, want := range map[string]string{
		"/": "", "/other": "", "/photosynthesis": "",
		"/photos": "/photos", "/photos/a/b": "/photos", "/photos/2024": "/photos/2024", "/photos/2024/c": "/photos/2024", "/photos/2025": "/photos",
		"/home": "/home/{user}", "/home/ann/x": "/home/{user}", "/home/guests": "/home/guests", "/home/guests/x": "/home/guests",
	} {
		got := ""
		if s := c.ShareAt(name); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("%s is in %q, want %q", name, got, want)
		}
	}
	root := &Config{sharesByRoot: sharesByRoot([]*Share{{Name: "/"}, {Name: "/a"}})}
	if s := root.ShareAt("/b"); s == nil || s.Name != "/" {
		t.Errorf("/b is in %v", s)
	}
}
