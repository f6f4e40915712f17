package lock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/davd/davd/storage/lock"
)

func ExampleSystem() {
	ctx := context.Background()
	now := time.Now()
	locks, err := lock.New(ctx, lock.Options{})
	if err != nil {
		panic(err)
	}
	mine, err := locks.Acquire(ctx, now, lock.Lock{Root: "/photos", Principal: "ann", Duration: time.Hour})
	if err != nil {
		panic(err)
	}

	_, err = locks.Acquire(ctx, now, lock.Lock{Root: "/photos/a.jpg", Principal: "bob", Duration: time.Hour})
	if conflict, ok := errors.AsType[*lock.ConflictError](err); ok {
		fmt.Println(conflict.Locks[0].Principal, "is in the way:", err)
	}

	if err := locks.Release(ctx, now, mine.Token); err != nil {
		panic(err)
	}
	found, _ := locks.Find(ctx, now, "/photos/a.jpg", false)
	fmt.Println(len(found), "locks are left")
	// Output:
	// ann is in the way: locked at /photos
	// 0 locks are left
}
