package names_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/storagetest/pgtest"
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

// BenchmarkParallelPut puts new files into one collection with 16 clients, on a server that writes
// durably. Commit is the rate of commits of one row, for comparison.
func BenchmarkParallelPut(b *testing.B) {
	db := openPostgreSQL(b, pgtest.Start(b).Database(b))
	s := space(b, db)
	mkdir(b, s, "/a")
	var n atomic.Int64
	parallel := func(b *testing.B, f func(n int64) error) {
		b.SetParallelism(8) // of two processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := f(n.Add(1)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	content := names.Content{Data: make([]byte, 1024), Size: 1024, SHA256: make([]byte, 32)}
	b.Run("Commit", func(b *testing.B) {
		parallel(b, func(n int64) error {
			return db.Base().Change(b.Context(), false, func(tx tables.Tx) error {
				return tables.Later(b.Context(), tx, "INSERT INTO shares (id, identity) VALUES ($1, 'x')", strconv.FormatInt(n, 10))
			})
		})
	})
	b.Run("New", func(b *testing.B) {
		parallel(b, func(n int64) error {
			_, err := s.Put(b.Context(), fmt.Sprintf("/a/%d", n), content, names.Placing{})
			return err
		})
	})
	b.Run("Replaced", func(b *testing.B) {
		parallel(b, func(n int64) error {
			_, err := s.Put(b.Context(), fmt.Sprintf("/a/f%d", n%50), content, names.Placing{})
			return err
		})
	})
}
