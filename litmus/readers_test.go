package litmus

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A reader is a client that lists a share.
type reader struct {
	name    string
	needs   []string
	version versionOf
	lab     bool // it is installed by .ci/lab and not by .ci/deps
	// accepts says that it asks for a compressed answer.
	accepts bool
	// permitted, if not nil, returns an error if the client can't run on this machine.
	permitted func() error
	// read returns what the client shows. collections are the collections on the disk, for
	// a client that can't list a whole tree.
	read func(t *testing.T, url string, collections []string) shown
	// when formats a time like the client.
	when func(time.Time) string
	// apart lists where the client shows something other than what is on the disk. The keys
	// are paths on the disk, or segments of them.
	apart map[string]apart
}

// An apart is a name that a client shows wrongly by its own fault.
type apart struct {
	name string // what it shows in place of the path or segment
	gone bool   // it does not show the resource at all
	why  string
}

// shown is what a client shows: the result of describe for each path.
type shown map[string]string

// note adds a resource.
func (s shown) note(t *testing.T, name, what string) {
	t.Helper()
	if _, twice := s[name]; twice {
		t.Errorf("%q is there twice", name)
	}
	s[name] = what
}

var readers = []reader{
	curlReader, cadaverReader, davfsReader,
	rcloneReader("rclone of Debian 12", "/usr/bin/rclone"),
	rcloneReader("rclone, newest", filepath.Join(labBin, "rclone")),
	gioReader,
}

// unixTime formats a time for clients that show seconds.
func unixTime(when time.Time) string { return strconv.FormatInt(when.Unix(), 10) }

// describe describes a resource as a client shows it: its kind, its time and, for a file, its size.
func describe(collection bool, size int64, when string) string {
	if collection {
		return "collection of " + when
	}
	return fmt.Sprintf("file of %d bytes of %s", size, when)
}

// want returns what r should show for the resources on the disk.
func (r *reader) want(t *testing.T, disk map[string]resource) shown {
	t.Helper()
	want, used := make(shown), make(map[string]bool)
	for name, on := range disk {
		other, whole := r.apart[name]
		used[name] = whole
		if other.gone {
			continue
		}
		segments := strings.Split(cmp.Or(other.name, name), "/")
		for i, segment := range segments {
			used[segment] = true
			segments[i] = cmp.Or(r.apart[segment].name, segment)
		}
		want[strings.Join(segments, "/")] = describe(on.collection, on.size, r.when(on.modified))
	}
	for name, other := range r.apart {
		if !used[name] {
			t.Errorf("%q is not on the disk", name)
		}
		t.Logf("%.40q is shown otherwise: %s", name, other.why)
	}
	return want
}

// readerWays are davd's ways of sending a listing.
var readerWays = []struct {
	name             string
	flags            []string
	compressed, slow bool
}{
	{name: "as it is", flags: []string{"--compress", "never"}},
	{name: "compressed", flags: []string{"--compress", "always"}, compressed: true},
	{name: "slowly", flags: append([]string{"--compress", "never"}, slowly...), slow: true},
	{name: "slowly and compressed", flags: append([]string{"--compress", "always"}, slowly...), compressed: true, slow: true},
}

// slowly makes the listing of the collection many take half a second. Its pauses are longer than
// the interval at which davd sends newlines to keep the connection alive.
var slowly = []string{"--latency", "20ms", "--interim-after", "20ms", "--interim-every", "5ms"}

// TestReaders makes each client list the same tree, and compares what it shows with what is on the
// disk.
func TestReaders(t *testing.T) {
	t.Parallel()
	share := publicDir(t)
	plantHostile(t, share)
	plantLarge(t, share)
	disk := onDisk(t, share)
	for _, way := range readerWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			davd := serve(t, append(way.flags, share)...)
			for _, r := range readers {
				if r.lab && !*wholeLab {
					continue
				}
				t.Run(r.name, func(t *testing.T) {
					// Not in parallel, because the clients would wait for each other on slow
					// storage.
					r.available(t)
					between := tapWire(t, davd)
					got := r.read(t, between.url, collectionsOf(disk))
					compareShown(t, got, r.want(t, disk))
					listings := between.listings(t)
					checkListings(t, listings, way.compressed && r.accepts, way.slow)
					summary.line("listings: %s %s reads %d of %d resources", r.name, r.version(t), len(got), len(disk))
				})
			}
		})
	}
}

func (r *reader) available(t *testing.T) {
	t.Helper()
	err := missing(r.needs)
	if err == nil && r.permitted != nil {
		err = r.permitted()
	}
	if err != nil {
		summary.skip(t, "listings read by "+r.name, err)
	}
}

// collectionsOf returns the collections on the disk. The root is the first, as "".
func collectionsOf(disk map[string]resource) []string {
	found := []string{""}
	for _, name := range slices.Sorted(maps.Keys(disk)) {
		if disk[name].collection {
			found = append(found, name)
		}
	}
	return found
}

func compareShown(t *testing.T, got, want shown) {
	t.Helper()
	var wrong []string
	for name := range union(got, want) {
		if got[name] != want[name] {
			wrong = append(wrong, fmt.Sprintf("%.120q: %q, want %q", name, got[name], want[name]))
		}
	}
	if len(wrong) > 0 || len(want) < manyMembers {
		slices.Sort(wrong)
		t.Errorf("%d resources shown, want %d; %d differ:\n%s", len(got), len(want), len(wrong), strings.Join(wrong[:min(len(wrong), 40)], "\n"))
	}
}

// checkListings checks how the listings were sent. At least one must be too large for davd's
// buffer. If davd was slow, it must have sent newlines to keep the connection alive.
func checkListings(t *testing.T, listings []listingSent, compressed, slow bool) {
	t.Helper()
	largest, newlines := 0, 0
	for _, listing := range listings {
		largest = max(largest, len(listing.body))
		newlines += listing.newlines
		// davd compresses nothing below 1 KiB.
		if got := listing.coding != ""; got && !compressed || !got && compressed && len(listing.body) > 2<<10 {
			t.Errorf("a listing of %d bytes came with the coding %q", len(listing.body), listing.coding)
		}
	}
	if largest <= heldBytes {
		t.Errorf("the largest of %d listings has %d bytes: davd held it", len(listings), largest)
	}
	if (newlines > 0) != slow {
		t.Errorf("%d newlines in %d listings", newlines, len(listings))
	}
	t.Logf("%d listings, the largest of %d bytes, %d newlines", len(listings), largest, newlines)
}
