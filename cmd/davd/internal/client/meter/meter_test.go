package meter

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestBar(t *testing.T) {
	for _, c := range []struct {
		name  string
		state State
		width int
		after time.Duration
		want  string
	}{
		{"all of it", State{Done: 3, Total: 10, Bytes: 5 << 20, TotalBytes: 10 << 20, Member: "a/b.txt"}, 80, 10 * time.Second, "[==========          ]  50%  3/10  512.0 KiB/s  0:10 left  a/b.txt"},
		{"members alone", State{Done: 1, Total: 4, TotalBytes: Unknown, Member: "a"}, 80, time.Second, "[=====               ]  25%  1/4  a"},
		{"no total", State{Done: 7, Total: Unknown, TotalBytes: Unknown, Member: "a"}, 80, time.Hour, "7  a"},
		{"nothing of nothing", State{TotalBytes: Unknown}, 80, time.Hour, "0/0"},
		{"hours", State{Done: 1, Total: 3, TotalBytes: Unknown}, 80, time.Hour, "[======              ]  33%  1/3  2:00:00 left"},
		{"more than all", State{Done: 5, Total: 5, Bytes: 11, TotalBytes: 10}, 80, 0, "[====================] 100%  5/5"},
		{"a long name", State{Done: 1, Total: Unknown, Member: "aaaaaaaaaa/bbbbbbbbbb"}, 15, 0, "1  aaaaa…bbbbbb"},
		{"no room for the name", State{Done: 1, Total: Unknown, Member: "aaaaaaaaaa"}, 10, 0, "1"},
		{"no room", State{Done: 1, Total: 2}, 5, 0, "[=…/2"},
		{"nothing fits", State{Done: 1, Total: 2}, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.state.bar(c.width, c.after)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if utf8.RuneCountInString(got) > c.width {
				t.Errorf("longer than %d", c.width)
			}
		})
	}
}

// TestBarOnTerminal: ten times a second at most, and nothing is left at the end.
func TestBarOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		m := Bar(&out, func() int { return 20 })
		for i := range int64(20) {
			m.Show(State{Done: i, Total: Unknown, Member: strings.Repeat("m", int(20-i))})
			time.Sleep(50 * time.Millisecond)
		}
		m.Clear()
		if drawn := strings.Count(out.String(), "\r") - 2; drawn != 10 {
			t.Errorf("drawn %d times in a second", drawn)
		}
		screen := make([]byte, 40)
		at := 0
		for _, c := range []byte(strings.ReplaceAll(out.String(), "…", ".")) {
			if c == '\r' {
				at = 0
				continue
			}
			screen[at] = c
			at++
		}
		if left := strings.Trim(string(screen), " \x00"); left != "" {
			t.Errorf("%q is left", left)
		}
		if strings.Trim(string(screen[19:]), "\x00") != "" {
			t.Error("the last column was written to")
		}
	})
}

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		m := Lines(&out, time.Second)
		m.Show(State{Done: 1, Total: 2, Bytes: 3, TotalBytes: 4, Member: "a b"})
		time.Sleep(500 * time.Millisecond)
		m.Show(State{Done: 2, Total: 2})
		time.Sleep(time.Second)
		m.Show(State{Done: 3, Total: Unknown, Bytes: 5, TotalBytes: Unknown})
		m.Clear()
		const want = "   0.0 s  1/2  3/4 bytes  a b\n   1.5 s  3  5 bytes\n"
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
	var none *Meter
	none.Show(State{})
	none.Clear()
}
