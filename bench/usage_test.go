package main

import (
	"os"
	"runtime"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 7 1 1 0 -1 4194560 2 3 4 5 100 20 3 1 20 0 9 0 1234 5678 90"
	tests := []struct {
		name, text string
		want       stat
		bad        bool
	}{
		{"plain", "42 (nginx)" + rest, stat{42, 7, 1240 * time.Millisecond}, false},
		{"a name with spaces and parentheses", "42 (a (b) c) d)" + rest, stat{42, 7, 1240 * time.Millisecond}, false},
		{"short", "42 (nginx) S 7 1", stat{}, true},
		{"no name", "42 nginx S 7", stat{}, true},
		{"no number", "42 (nginx) S seven 1 1 0 -1 4194560 2 3 4 5 100 20 3 1 20 0", stat{}, true},
		{"empty", "", stat{}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseStat(test.text)
			if got != test.want || (err != nil) != test.bad {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestParsePeak(t *testing.T) {
	tests := []struct {
		name, text string
		want       int64
		bad        bool
	}{
		{"plain", "Name:\tnginx\nVmPeak:\t   99 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n", 2 << 20, false},
		{"a process that has ended has none", "Name:\tnginx\nState:\tZ (zombie)\n", 0, false},
		{"another unit", "VmHWM:\t 2 MB\n", 0, true},
		{"no number", "VmHWM:\t two kB\n", 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parsePeak(test.text)
			if got != test.want || (err != nil) != test.bad {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestUsedOfThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc on " + runtime.GOOS)
	}
	if all := family(os.Getppid()); len(all) < 2 {
		t.Errorf("the parent's family is %+v, without this process", all)
	}
	if u := used(os.Getpid()); u.peak < 1<<20 {
		t.Errorf("the peak is %d bytes", u.peak)
	}
}
