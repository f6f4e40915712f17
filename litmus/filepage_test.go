package litmus

import (
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pictures is a directory for pictures of the screens of the file browser, or "".
var pictures = flag.String("lab.pictures", "", "a directory for pictures of the file browser")

// npmAxe is the program that finds what people with disabilities can't use.
var npmAxe = filepath.Join(labBin, "node_modules/axe-core/axe.min.js")

// A filePageTask is a task for testdata/lab/filepage.mjs.
type filePageTask struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Dir      string `json:"dir"`
	Width    int    `json:"width"`
	Part     string `json:"part"`
	Pictures string `json:"pictures"`
}

// TestFilePage uses the file browser in Chromium: each part in windows of three widths, with and
// without users. The script says what it expects.
func TestFilePage(t *testing.T) {
	t.Parallel()
	if !*wholeLab {
		return
	}
	if err := missing([]string{"chromium", "node", npmPuppeteer, npmAxe}); err != nil {
		summary.skip(t, "file browser in Chromium", err)
	}
	for i, width := range []int{320, 768, 1280} {
		for j, part := range []string{"browse", "change", "upload", "view", "operations", "plain"} {
			user := ""
			if (i+j)%2 == 1 {
				user = "ann"
			}
			t.Run(fmt.Sprintf("%s at %d px", part, width), func(t *testing.T) {
				t.Parallel()
				task := filePageTask{User: user, Width: width, Part: part, Pictures: *pictures}
				task.URL = filePageServer(t, part, user)
				task.run(t)
			})
		}
	}
}

// filePageServer starts a davd with the file browser and some files.
func filePageServer(t *testing.T, part, user string) (url string) {
	t.Helper()
	dir := t.TempDir()
	share := filepath.Join(dir, "share")
	for name, content := range map[string]string{
		"IMG_9.txt": "nine", ".secret": "", "fdp\u202etxt.exe": "x", "שלום.txt": "abc", "Documents/deeper/deep.txt": "deep",
		"page.html":   "<script>window.hacked = parent.hacked = 1</script>",
		"picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>window.hacked = parent.hacked = 1</script></svg>`,
		"IMG_10.txt":  "ten, longer than the others so that it has the size that sorts first of all the files, which is more than that of the picture and of the page beside it, with room to spare, even if these grow a little",
	} {
		writeFile(t, filepath.Join(share, name), []byte(content))
	}
	writePicture(t, filepath.Join(share, "photos", "red.png"), 64)
	writePicture(t, filepath.Join(share, "photos", "tiny.png"), 1)
	flags := []string{"--page", "full"}
	if part == "operations" {
		flags = append(flags, "--latency", "20ms")
		for i := range pageFiles {
			writeFile(t, filepath.Join(share, "many", strconv.Itoa(i)+".txt"), []byte("content"))
		}
		if err := os.Mkdir(filepath.Join(share, "target"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if user != "" {
		users := filepath.Join(dir, "users")
		writeFile(t, users, []byte(pageUsers))
		flags = append(flags, "--htpasswd", users)
	}
	return strings.TrimSuffix(serve(t, append(flags, share)...).url, "/")
}

func writePicture(t *testing.T, name string, size int) {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	for i := range size * size {
		picture.Set(i%size, i/size, color.RGBA{R: 200, A: 255})
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, picture); err != nil {
		t.Fatal(err)
	}
}

// run makes a browser carry out the task.
func (task filePageTask) run(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	task.Dir = home
	argument, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join("testdata", "lab", "filepage.mjs")
	client{name: "node", args: []string{script, npmPuppeteer, npmAxe, chromium, string(argument)}, home: home}.mustRun(t)
}
