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
		from  State
	}{
		{"all of it", State{Final: true, Done: 3, Total: 10, Bytes: 5 << 20, TotalBytes: 10 << 20, Member: "a/b.txt"}, 80, 10 * time.Second, "[==========          ]  50%  3/10  524 kB/s  0:10 left  a/b.txt", State{}},
		{"progress before the first state", State{Final: true, Done: 30, Total: 50, Bytes: 30_000, TotalBytes: 50_000}, 80, 4 * time.Second, "[============        ]  60%  30/50  5.0 kB/s  0:04 left", State{Done: 10, Bytes: 10_000}},
		{"only members", State{Final: true, Done: 1, Total: 4, TotalBytes: Unknown, Member: "a"}, 80, time.Second, "[=====               ]  25%  1/4  a", State{}},
		{"no total", State{Done: 7, Total: Unknown, TotalBytes: Unknown, Member: "a"}, 80, time.Hour, "7  a", State{}},
		{"totals that may grow", State{Done: 7, Total: 9, Bytes: 10_000, TotalBytes: 12_000, Member: "a"}, 80, 10 * time.Second, "7 of 9 found so far  1.0 kB/s  a", State{}},
		{"nothing of nothing", State{Final: true, TotalBytes: Unknown}, 80, time.Hour, "0/0", State{}},
		{"hours", State{Final: true, Done: 1, Total: 3, TotalBytes: Unknown}, 80, time.Hour, "[======              ]  33%  1/3  2:00:00 left", State{}},
		{"more than the total", State{Final: true, Done: 5, Total: 5, Bytes: 11, TotalBytes: 10}, 80, 0, "[====================] 100%  5/5", State{}},
		{"a long name", State{Done: 1, Total: Unknown, Member: "aaaaaaaaaa/bbbbbbbbbb"}, 15, 0, "1  aaaaa…bbbbbb", State{}},
		{"no room for the name", State{Done: 1, Total: Unknown, Member: "aaaaaaaaaa"}, 10, 0, "1", State{}},
		{"no room", State{Final: true, Done: 1, Total: 2}, 5, 0, "[=…/2", State{}},
		{"nothing fits", State{Final: true, Done: 1, Total: 2}, 0, 0, "", State{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.state.bar(c.width, c.from, c.after)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if utf8.RuneCountInString(got) > c.width {
				t.Errorf("longer than %d", c.width)
			}
		})
	}
}

// TestBarOnTerminal checks that the bar is drawn at most ten times a second, and is removed at
// the end.
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

// TestBarOfGrowingTotal checks that no percentage is shown while the totals grow, so that it
// can't fall.
func TestBarOfGrowingTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		m := Bar(&out, func() int { return 80 })
		for _, c := range []struct {
			state State
			want  string
		}{
			{State{Done: 0, Total: Unknown, TotalBytes: Unknown}, "0"},
			{State{Done: 9, Total: 10, TotalBytes: Unknown}, "9 of 10 found so far"},
			{State{Done: 10, Total: 40, TotalBytes: Unknown}, "10 of 40 found so far"},
			{State{Done: 11, Total: 40, TotalBytes: Unknown}, "11 of 40 found so far"},
			{State{Done: 20, Total: 40, TotalBytes: Unknown}, "[==========          ]  50%  20/40  0:11 left"},
			{State{Done: 21, Total: 80, TotalBytes: Unknown}, "21 of 80 found so far"},
			{State{Done: 40, Total: 80, TotalBytes: Unknown, Final: true}, "[==========          ]  50%  40/80  0:13 left"},
		} {
			out.Reset()
			m.Show(c.state)
			if got := strings.TrimSpace(out.String()); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name  string
		meter func(*strings.Builder) *Meter
		state State
		want  string
	}{
		{"all of it", bar, State{Done: 406, Total: 406, Bytes: 12_000_000, TotalBytes: 12_000_000, Member: "a"}, "copied 406 members, 12000000 bytes in 3.0 s, 4.0 MB/s\n"},
		{"an old state", bar, State{Done: 3, Total: 9, Bytes: 1, TotalBytes: Unknown}, "copied 9 members, 1 byte in 3.0 s, 0 B/s\n"},
		{"nothing is known", bar, State{Total: Unknown, TotalBytes: Unknown}, "copied in 3.0 s\n"},
		{"lines", func(out *strings.Builder) *Meter { return Lines(out, 2*time.Second, time.Hour) }, State{Done: 1, Total: 1}, "copied 1 member in 3.0 s\n"},
		{"lines, too early", func(out *strings.Builder) *Meter { return Lines(out, 4*time.Second, time.Hour) }, State{Done: 1, Total: 1}, ""},
		{"none", func(*strings.Builder) *Meter { return nil }, State{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				m := c.meter(&out)
				m.Show(c.state)
				time.Sleep(3 * time.Second)
				m.Summary("copied")
				if got := out.String()[strings.LastIndexByte(out.String(), '\r')+1:]; got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
			})
		})
	}
}

func bar(out *strings.Builder) *Meter { return Bar(out, func() int { return 80 }) }

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		m := Lines(&out, 2*time.Second, 10*time.Second)
		m.Show(State{Done: 1, Total: 2, Final: true})
		time.Sleep(1900 * time.Millisecond)
		m.Show(State{Done: 1, Total: 2, Final: true})
		time.Sleep(600 * time.Millisecond)
		m.Show(State{Done: 1, Total: 2, Bytes: 3, TotalBytes: 4, Final: true, Member: "a b"})
		time.Sleep(9 * time.Second)
		m.Show(State{Done: 2, Total: 2, Final: true})
		time.Sleep(time.Second)
		m.Show(State{Done: 3, Total: 8, Bytes: 5, TotalBytes: 6})
		m.Clear()
		const want = "   2.5 s  1/2  3/4 bytes  a b\n  12.5 s  3 of 8 found so far  5 bytes\n"
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
	var none *Meter
	none.Show(State{})
	none.Clear()
}
