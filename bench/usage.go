package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc. USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// usage is the processor time and memory used by a server and its children.
type usage struct {
	cpu  time.Duration // user and system
	peak int64         // peak resident size in bytes; shared memory counts for each process
}

// stat has the needed fields of /proc/PID/stat.
type stat struct {
	pid, parent int
	cpu         time.Duration // includes ended children
}

// parseStat parses /proc/PID/stat (proc_pid_stat(5)).
func parseStat(text string) (stat, error) {
	// The second field is in parentheses. It may contain spaces and parentheses.
	open, end := strings.Index(text, "("), strings.LastIndex(text, ")")
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("%q is not the stat of a process", text)
	}
	fields := strings.Fields(text[end+1:]) // beginning with the third
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("%q is too short for the stat of a process", text)
	}
	var numbers [6]int64
	wanted := []string{strings.TrimSpace(text[:open]), fields[1], fields[11], fields[12], fields[13], fields[14]}
	for i, field := range wanted {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("%q in the stat of a process: %w", field, err)
		}
		numbers[i] = n
	}
	cpu := numbers[2] + numbers[3] + numbers[4] + numbers[5] // utime, stime, cutime, cstime
	return stat{pid: int(numbers[0]), parent: int(numbers[1]), cpu: time.Duration(cpu) * tick}, nil
}

// parsePeak returns VmHWM from /proc/PID/status, in bytes.
func parsePeak(text string) (int64, error) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "VmHWM:")
		if !ok {
			continue
		}
		kib, ok := strings.CutSuffix(strings.TrimSpace(rest), " kB")
		n, err := strconv.ParseInt(strings.TrimSpace(kib), 10, 64)
		if !ok || err != nil {
			return 0, fmt.Errorf("%q in the status of a process is not a size in kB", strings.TrimSpace(line))
		}
		return n << 10, nil
	}
	return 0, nil // the process has ended
}

// family returns the stats of a process and all its descendants.
func family(leader int) []stat {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]stat{}
	var found []stat
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		s, err := parseStat(string(text))
		if err != nil {
			continue
		}
		children[s.parent] = append(children[s.parent], s)
		if s.pid == leader {
			found = append(found, s)
		}
	}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

// used returns what the family of leader has used so far.
func used(leader int) usage {
	var u usage
	for _, s := range family(leader) {
		u.cpu += s.cpu
		if text, err := os.ReadFile(proc(s.pid, "status")); err == nil {
			peak, _ := parsePeak(string(text))
			u.peak += peak
		}
	}
	return u
}

// resetPeak resets the peak resident sizes of the family (proc_pid_clear_refs(5)).
func resetPeak(leader int) {
	for _, s := range family(leader) {
		_ = os.WriteFile(proc(s.pid, "clear_refs"), []byte("5"), 0o600)
	}
}

func proc(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
