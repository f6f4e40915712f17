package main

import (
	"context"
	"os"
	"strconv"
)

var smallContent = content(0, kib)

func getSmall(ctx context.Context, c *client) error {
	_, err := c.do(ctx, "GET", "/"+smallName, nil, nil, expect(smallContent), false)
	return err
}

// getSmallWork measures the rate of GET requests.
func getSmallWork() *work {
	w := rate("GET 1 KiB", 16, 20_000, func(ctx context.Context, c *client, _, _ int) error {
		return getSmall(ctx, c)
	})
	w.floors = []floor{emptyFloor(16, 20_000, "GET", nil, nil)}
	return w
}

const putName = "put"

// putFiles is how many files each of the 16 connections creates, each in its own collection.
const putFiles = 500

// putSmallWork measures the rate of PUT requests.
func putSmallWork() *work {
	w := rate("PUT 1 KiB", 16, 16*putFiles, func(ctx context.Context, c *client, conn, i int) error {
		path := "/" + putName + "/" + strconv.Itoa(conn) + "/f" + strconv.Itoa(i) + ".txt"
		_, err := c.do(ctx, "PUT", path, nil, smallContent, skip, false)
		return err
	})
	w.writes = true
	w.before = func(t *trial) error {
		for conn := range 16 {
			if err := os.MkdirAll(t.in(putName+"/"+strconv.Itoa(conn)), 0o750); err != nil {
				return err
			}
		}
		return t.owner.giveTree(t.in(putName))
	}
	w.check = func(t *trial) error {
		return checkTree("", t.in(putName), layout{collections: 16, files: putFiles, size: kib})
	}
	w.after = func(t *trial) error { return t.remove(putName) }
	return w
}
