package pgstate_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// benchmarked opens a database as a running node.
func benchmarked(b *testing.B) *pgstate.DB {
	b.Helper()
	db, err := pgstate.Open(b.Context(), pgtest.Database(b), pgstate.Options{Log: slog.New(slog.DiscardHandler), Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Cluster().Run(ctx, nil) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	for db.Cluster().Epoch() == "" {
		if err := db.CheckWritable(b.Context()); err == nil {
			break
		}
	}
	return db
}

// clients is how many requests run at the same time.
const clients = 16

// many calls change from 16 goroutines, each time with another name.
func many(b *testing.B, change func(ctx context.Context, name string) error) {
	b.Helper()
	var n atomic.Int64
	b.SetParallelism(clients / 2) // of two processors
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := change(b.Context(), fmt.Sprintf("/dir/%d", n.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}

// BenchmarkClaim is what a change in a shared directory asks of the database: a claim, the
// locks that cover the name, and the end.
func BenchmarkClaim(b *testing.B) {
	db := benchmarked(b)
	many(b, func(ctx context.Context, name string) error {
		c, err := db.Cluster().Claim(ctx, cluster.Work{Scopes: []cluster.Scope{{Name: name}}})
		if err != nil {
			return err
		}
		for _, at := range []string{name, "/dir"} {
			if _, err := db.Locks().Find(ctx, time.Now(), at, false); err != nil {
				return err
			}
		}
		if err := db.Journal().SaveRecord(ctx, c.ID(), []byte("record")); err != nil {
			return err
		}
		if err := db.Properties().Remove(ctx, name); err != nil {
			return err
		}
		return c.End(ctx, nil)
	})
}

// BenchmarkBrief is what a PUT of a new file asks of the database if the names are in it.
func BenchmarkBrief(b *testing.B) {
	db := benchmarked(b)
	space, err := names.Open(b.Context(), names.Options{Database: db, Identity: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := space.Mkdir(b.Context(), "/dir", 0o755); err != nil {
		b.Fatal(err)
	}
	many(b, func(ctx context.Context, name string) error {
		c, err := db.Cluster().Claim(ctx, cluster.Work{Scopes: []cluster.Scope{{Name: name}}, Brief: true})
		if err != nil {
			return err
		}
		if ctx, err = c.Transaction(ctx); err != nil {
			return err
		}
		for _, at := range []string{name, "/dir"} {
			if _, err := db.Locks().Find(ctx, time.Now(), at, false); err != nil {
				return err
			}
		}
		epoch, err := space.Epoch()
		if err != nil {
			return err
		}
		if _, err := space.Put(ctx, name, names.Content{Blob: epoch + "-" + name, Size: 1024}, names.Placing{Perm: 0o644}); err != nil {
			return err
		}
		if err := db.Properties().Remove(ctx, name); err != nil {
			return err
		}
		return c.End(ctx, nil)
	})
}

// BenchmarkLock locks names.
func BenchmarkLock(b *testing.B) {
	db := benchmarked(b)
	many(b, func(ctx context.Context, name string) error {
		l, err := db.Locks().Acquire(ctx, time.Now(), lock.Lock{Root: name, Principal: name, Duration: time.Minute})
		if err != nil {
			return err
		}
		return db.Locks().Release(ctx, time.Now(), l.Token)
	})
}
