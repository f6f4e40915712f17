package cluster

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit of times in /proc.
const tick = 10 * time.Millisecond

// A process as /proc has it.
type processStat struct {
	name          string
	parent, ticks int
}

// processorTimes returns the processor time so far of this process and its descendants, by their
// names. Processes that have ended are left out.
func processorTimes(t *testing.T) map[string]time.Duration {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[int]processStat)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended.
		}
		pid, p := parseStat(string(text))
		all[pid] = p
	}
	times := make(map[string]time.Duration)
	for pid, p := range all {
		up := pid
		for up != os.Getpid() && up > 1 {
			up = all[up].parent
		}
		if up == os.Getpid() {
			times[p.name] += time.Duration(p.ticks) * tick
		}
	}
	return times
}

// parseStat reads /proc/PID/stat (proc(5)). Fields after the name have no spaces.
func parseStat(text string) (pid int, p processStat) {
	begin, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	pid, _ = strconv.Atoi(strings.TrimSpace(text[:begin]))
	fields := strings.Fields(text[end+1:])
	p.name = text[begin+1 : end]
	p.parent, _ = strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	p.ticks = user + system
	return pid, p
}

// shares returns how much processor time each program has used for one of n requests.
func shares(before, after map[string]time.Duration, n float64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if used := after[name] - before[name]; used >= 10*tick {
			all = append(all, fmt.Sprintf("%s %.2f ms", name, used.Seconds()*1000/n))
		}
	}
	return strings.Join(all, ", ")
}
