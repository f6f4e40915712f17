package names_test

import (
	"testing"

	"github.com/davd/davd/storage/objectfs/names"
)

// benchmark runs f in each kind of database with a collection /a of n files.
func benchmark(b *testing.B, n int, f func(b *testing.B, s *names.Space)) {
	b.Helper()
	for _, kind := range databases {
		b.Run(kind.name, func(b *testing.B) {
			db := kind.open(b, kind.place(b))
			s := space(b, db)
			mkdir(b, s, "/a")
			fill(b, db, s, "/a", n)
			f(b, s)
		})
	}
}

func BenchmarkMembers(b *testing.B) {
	benchmark(b, 20_000, func(b *testing.B, s *names.Space) {
		a, err := s.Find(b.Context(), "/a")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			n := 0
			for after := ""; ; {
				page, err := s.Members(b.Context(), a.ID, after, 1000)
				if err != nil {
					b.Fatal(err)
				}
				if n += len(page); len(page) < 1000 {
					break
				}
				after = page[len(page)-1].Name
			}
			if n != 20_000 {
				b.Fatal(n)
			}
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	benchmark(b, 10_000, func(b *testing.B, s *names.Space) {
		for b.Loop() {
			if err := s.Copy(b.Context(), "/a", "/b", false, nil); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := s.Detach(b.Context(), "/b", false); err != nil {
				b.Fatal(err)
			}
			for n := 1; n > 0; {
				var err error
				if n, err = s.Sweep(b.Context(), 5000); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
		}
	})
}

func BenchmarkMove(b *testing.B) {
	benchmark(b, 10_000, func(b *testing.B, s *names.Space) {
		mkdir(b, s, "/x")
		from, to := "/a", "/x/b"
		for b.Loop() {
			if err := s.Rename(b.Context(), from, to, true); err != nil {
				b.Fatal(err)
			}
			from, to = to, from
		}
	})
}

func BenchmarkFind(b *testing.B) {
	benchmark(b, 10_000, func(b *testing.B, s *names.Space) {
		for b.Loop() {
			if _, err := s.Find(b.Context(), "/a/0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	benchmark(b, 1, func(b *testing.B, s *names.Space) {
		for b.Loop() {
			put(b, s, "/a/f", "text")
		}
	})
}
