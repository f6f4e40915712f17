package operation

import (
	"testing"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/history"
)

// TestPace checks that the rate covers the last ten seconds at most, and not the time
// before the first progress.
func TestPace(t *testing.T) {
	start := time.Unix(0, 0)
	var p pace
	for _, step := range []struct {
		name           string
		at             time.Duration
		done, bytes    int64
		members, speed float64
	}{
		{"at the start", -20 * time.Second, 0, 0, 0, 0},
		{"not begun", 0, 0, 0, 0, 0},
		{"too short a time", 900 * time.Millisecond, 9, 900, 0, 0},
		{"since the first progress", 2 * time.Second, 20, 2000, 10, 1000},
		{"a look in between is not noted", 2500 * time.Millisecond, 25, 2500, 10, 1000},
		{"nothing more", 10 * time.Second, 25, 2500, 2.5, 250},
		{"of late", 12 * time.Second, 120, 12000, 10, 1000},
		{"long ago", 60 * time.Second, 120, 12000, 0, 0},
	} {
		members, speed := p.note(start.Add(-20*time.Second), start.Add(step.at), interim.Progress{Done: step.done, Bytes: step.bytes})
		if members != step.members || speed != step.speed {
			t.Errorf("%s: %v members and %v bytes a second, want %v and %v", step.name, members, speed, step.members, step.speed)
		}
	}
	if len(p.notes) > 12 {
		t.Errorf("%d notes", len(p.notes))
	}
}

func TestSecondsLeft(t *testing.T) {
	for _, c := range []struct {
		name                  string
		done, known           int64
		members               float64
		bytesDone, bytesKnown int64
		bytes                 float64
		want                  float64
		ok                    bool
	}{
		{"no number is known", 5, 0, 1, 0, 0, 0, 0, false},
		{"nothing moves", 5, 10, 0, 0, 0, 0, 0, false},
		{"by members", 5, 10, 2, 0, 0, 0, 2.5, true},
		{"by bytes, which take longer", 9, 10, 1, 100, 1100, 10, 100, true},
		{"one large file", 0, 1, 0, 100, 1100, 10, 100, true},
		{"done", 10, 10, 2, 0, 0, 0, 0, true},
	} {
		v := runningView(history.Record{Done: c.done, Known: c.known, Bytes: c.bytesDone, KnownBytes: c.bytesKnown})
		v.members, v.bytes = c.members, c.bytes
		got, ok := v.secondsLeft()
		if got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v, want %v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
