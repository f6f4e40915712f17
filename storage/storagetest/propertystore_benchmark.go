package storagetest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// BenchmarkProperties measures the store that newStore returns. Read reads 500 names; in
// ReadAll each has three properties. A number after the slash is the number of resources in
// the tree, with one property each unless it is ReadAll.
func BenchmarkProperties(b *testing.B, newStore func(b *testing.B) deadprops.Store) {
	b.Helper()
	for _, bench := range []struct {
		name    string
		planted int
		perName int
		run     func(b *testing.B, store deadprops.Store, planted int)
	}{
		{"Any/0", 0, 1, benchmarkAny},
		{"Any/1000000", 1_000_000, 1, benchmarkAny},
		{"AnyMissing/1000000", 1_000_000, 1, benchmarkAnyMissing},
		{"ReadNone/0", 0, 1, benchmarkRead500},
		{"ReadAll/1000", 1000, 3, benchmarkRead500},
		{"Patch/0", 0, 1, benchmarkPatch},
		{"Patch/1000000", 1_000_000, 1, benchmarkPatch},
		{"Move/100000", 100_000, 1, benchmarkMove},
	} {
		b.Run(bench.name, func(b *testing.B) {
			store := newStore(b)
			if bench.planted > 0 {
				PlantProperties(b, store, bench.planted, bench.perName)
			}
			bench.run(b, store, bench.planted)
		})
	}
}

// PlantProperties gives perName properties to each of count resources below /tree. count must
// be a power of ten.
func PlantProperties(tb testing.TB, store deadprops.Store, count, perName int) {
	tb.Helper()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	var patch webdav.Proppatch
	for i := range perName {
		patch.Props = append(patch.Props, property(fmt.Sprintf("property%d", i), "Fri, 20 Nov 2026 12:00:00 GMT"))
	}
	must(store.Patch(tb.Context(), "/0/document.txt", []webdav.Proppatch{patch}))
	level := 0
	for have := 1; have < count; have *= 10 {
		src, dst := fmt.Sprintf("/%d", level), fmt.Sprintf("/%d", level+1)
		for digit := range 9 {
			must(store.Copy(tb.Context(), src, fmt.Sprintf("%s/folder%d", dst, digit), false))
		}
		must(store.Move(tb.Context(), src, dst+"/folder9"))
		level++
	}
	must(store.Move(tb.Context(), fmt.Sprintf("/%d", level), "/tree"))
}

// planted returns the name of resource i of count.
func planted(i, count int) string {
	var name strings.Builder
	name.WriteString("/tree")
	for ; count > 1; count /= 10 {
		fmt.Fprintf(&name, "/folder%d", i%10)
		i /= 10
	}
	return name.String() + "/document.txt"
}

func benchmarkAny(b *testing.B, store deadprops.Store, count int) {
	b.Helper()
	name := "/tree/folder7"
	for b.Loop() {
		if anything, err := store.Any(b.Context(), name); err != nil || anything != (count > 0) {
			b.Fatal(anything, err)
		}
	}
}

func benchmarkAnyMissing(b *testing.B, store deadprops.Store, _ int) {
	b.Helper()
	for b.Loop() {
		if anything, err := store.Any(b.Context(), "/tree/folder5/other"); err != nil || anything {
			b.Fatal(anything, err)
		}
	}
}

func benchmarkRead500(b *testing.B, store deadprops.Store, count int) {
	b.Helper()
	names := make([]string, 500)
	for i := range names {
		names[i] = planted(i, 1000)
	}
	want := min(len(names), count)
	for b.Loop() {
		if found, _, err := store.Read(b.Context(), deadprops.Query{Names: names, MaxBytes: 1 << 20}); err != nil || len(found) != want {
			b.Fatal(len(found), err)
		}
	}
}

func benchmarkPatch(b *testing.B, store deadprops.Store, _ int) {
	b.Helper()
	for n := 0; b.Loop(); n++ {
		patches := []webdav.Proppatch{set(property("p", strconv.Itoa(n)))}
		if err := store.Patch(b.Context(), fmt.Sprintf("/tree/folder%d/document.txt", n%1000), patches); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkMove(b *testing.B, store deadprops.Store, _ int) {
	b.Helper()
	names := [2]string{"/tree", "/moved"}
	for n := 0; b.Loop(); n++ {
		if err := store.Move(b.Context(), names[n%2], names[(n+1)%2]); err != nil {
			b.Fatal(err)
		}
	}
}
