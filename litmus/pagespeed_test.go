package litmus

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The sizes of TestPageSpeed.
const (
	speedMembers = 100_000
	speedLarge   = 1 << 30
	speedSmall   = 2000
	speedRounds  = 5
)

// A speedTask is a task for testdata/lab/pagespeed.mjs.
type speedTask struct {
	URL   string   `json:"url"`
	Many  int      `json:"many"`
	Dir   string   `json:"dir"`
	Large string   `json:"large"`
	Four  []string `json:"four"`
	Small []string `json:"small"`
}

// A speedResult has what the script has measured: times in milliseconds, the heap in bytes.
type speedResult struct {
	List struct {
		Rows, Whole, Heap  float64
		Elements           int
		Loading, Scrolling struct{ Wall, CPU float64 }
	}
	// Bare is the time of a script that only sends the large file.
	Bare, Large, Four, Small float64
}

// TestPageSpeed measures the file browser in Chromium beside curl, in turns, and prints the medians,
// which docs/speed.md has. It needs 5 GiB for files:
//
//	DAVD_PAGE_SPEED=1 TMPDIR=/dev/shm go test -run 'TestPageSpeed$' -v ./litmus
func TestPageSpeed(t *testing.T) {
	if os.Getenv("DAVD_PAGE_SPEED") == "" {
		return
	}
	if err := missing([]string{"chromium", "node", npmPuppeteer}); err != nil {
		t.Fatal(err)
	}
	share, source := t.TempDir(), t.TempDir()
	large := filepath.Join(source, "large.bin")
	writeFile(t, large, nil)
	if err := os.Truncate(large, speedLarge); err != nil {
		t.Fatal(err)
	}
	var four, small []string
	for i := range 4 {
		four = append(four, filepath.Join(source, fmt.Sprintf("four%d.bin", i)))
		writeFile(t, four[i], nil)
		if err := os.Truncate(four[i], speedLarge/4); err != nil {
			t.Fatal(err)
		}
	}
	for i := range speedSmall {
		small = append(small, filepath.Join(source, "small", strconv.Itoa(i)+".txt"))
		writeFile(t, small[i], make([]byte, 1024))
	}
	for i := range speedMembers {
		writeFile(t, filepath.Join(share, "many", fmt.Sprintf("IMG_%d.jpg", i)), nil)
	}
	url := serve(t, "--page", "full", "--log-level", "error", share).url
	figures := speedFigures{}
	for range speedRounds {
		figures.add("curl: PROPFIND 1 of 100,000 members, ms", took(t, "curl", "-sf", "-o", os.DevNull, "-X", "PROPFIND", "-H", "Depth: 1", url+"/many/"))
		curlLarge := took(t, "curl", "-sf", "-T", large, url+"/curl.bin")
		figures.add("curl: PUT of 1 GiB, ms", curlLarge)
		curlSmall := took(t, "curl", "-sf", "-T", filepath.Join(source, "small", "[0-1999].txt"), url+"/")
		figures.add("curl: PUT of 2,000 files of 1 KiB, files/s", speedSmall/curlSmall*1000)
		clearShare(t, share)
		seen := speedTask{URL: url, Many: speedMembers, Large: large, Four: four, Small: small}.run(t)
		figures.add("page: first rows, ms", seen.List.Rows)
		figures.add("page: all rows, ms", seen.List.Whole)
		figures.add("page: longest task while loading, ms", seen.List.Loading.Wall)
		figures.add("page: longest task while loading, ms of processor time", seen.List.Loading.CPU)
		figures.add("page: longest task while scrolling, ms", seen.List.Scrolling.Wall)
		figures.add("page: longest task while scrolling, ms of processor time", seen.List.Scrolling.CPU)
		figures.add("page: heap, MB", seen.List.Heap/1e6)
		figures.add("page: elements", float64(seen.List.Elements))
		figures.add("browser: PUT of 1 GiB by a script of three lines, ms", seen.Bare)
		figures.add("page: upload of 1 GiB, ms", seen.Large)
		figures.add("page: upload of 1 GiB, % of curl's rate", curlLarge/seen.Large*100)
		figures.add("page: upload of 1 GiB, % of the script's rate", seen.Bare/seen.Large*100)
		figures.add("page: upload of 4 × 256 MiB, ms", seen.Four)
		figures.add("page: upload of 4 × 256 MiB, % of curl's rate", curlLarge/seen.Four*100)
		figures.add("page: upload of 2,000 files of 1 KiB, files/s", speedSmall/seen.Small*1000)
		checkUploaded(t, share)
		clearShare(t, share)
	}
	figures.print(t)
}

// run makes a browser carry out the task.
func (task speedTask) run(t *testing.T) speedResult {
	t.Helper()
	task.Dir = t.TempDir()
	run := runInChromium(t, task.Dir, "pagespeed.mjs", task, npmPuppeteer)
	var seen speedResult
	if err := json.Unmarshal([]byte(run.stdout), &seen); err != nil {
		t.Fatalf("%v: %s", err, run.stdout)
	}
	return seen
}

// took returns how long a program takes, in milliseconds.
func took(t *testing.T, name string, args ...string) float64 {
	t.Helper()
	return client{name: name, args: args, home: t.TempDir()}.mustRun(t).took.Seconds() * 1000
}

// checkUploaded checks that the uploads have arrived as a whole.
func checkUploaded(t *testing.T, share string) {
	t.Helper()
	if info, err := os.Stat(filepath.Join(share, "large.bin")); err != nil || info.Size() != speedLarge {
		t.Errorf("the large file: %v, %v", info, err)
	}
	for i := range speedSmall {
		if info, err := os.Stat(filepath.Join(share, strconv.Itoa(i)+".txt")); err != nil || info.Size() != 1024 {
			t.Fatalf("a small file: %v, %v", info, err)
		}
	}
}

// clearShare removes what was uploaded.
func clearShare(t *testing.T, share string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(share, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// speedFigures are the samples of each figure, in the order they were added first.
type speedFigures struct {
	names   []string
	samples map[string][]float64
}

func (f *speedFigures) add(name string, sample float64) {
	if f.samples == nil {
		f.samples = map[string][]float64{}
	}
	if f.samples[name] == nil {
		f.names = append(f.names, name)
	}
	f.samples[name] = append(f.samples[name], sample)
}

func (f *speedFigures) median(name string) float64 {
	sorted := slices.Sorted(slices.Values(f.samples[name]))
	return sorted[len(sorted)/2]
}

// print logs the table, and how busy the machine is.
func (f *speedFigures) print(t *testing.T) {
	t.Helper()
	load, _ := os.ReadFile("/proc/loadavg")
	t.Logf("%s, load %s", time.Now().Format(time.DateTime), load)
	for _, name := range f.names {
		t.Logf("| %s | %.0f | from %.0f to %.0f |", name, f.median(name), slices.Min(f.samples[name]), slices.Max(f.samples[name]))
	}
}
