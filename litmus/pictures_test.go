package litmus

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// picturesVariable names the environment variable with the directory that gets pictures of the file
// browser's screens, for people who change how it looks:
//
//	DAVD_PICTURES=/tmp/pictures go test ./litmus -run TestPictures -timeout 15m
//
// With DAVD_PICTURES_ONLY, which is a regular expression, it takes only the matching ones.
const picturesVariable = "DAVD_PICTURES"

// largeFolder is how many files the largest folder has.
const largeFolder = 100_000

// A picturesTask is a task for testdata/lab/pictures.mjs.
type picturesTask struct {
	URL   string `json:"url"`
	Slow  string `json:"slow"`
	Large string `json:"large"`
	// Dir is for the browser's profile and for files to upload. Pictures gets the pictures.
	Dir      string `json:"dir"`
	Pictures string `json:"pictures"`
	// Only is a regular expression that the wanted screens match.
	Only string `json:"only"`
}

// TestPictures takes pictures of the file browser's screens.
func TestPictures(t *testing.T) {
	dir := os.Getenv(picturesVariable)
	if dir == "" {
		t.Skip("for people: " + picturesVariable + " is not set")
	}
	if err := missing([]string{"chromium", "node", npmPuppeteer}); err != nil {
		t.Skip(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	task := picturesTask{
		URL: picturesServer(t), Slow: slowPicturesServer(t), Large: largePicturesServer(t),
		Dir: home, Pictures: dir, Only: os.Getenv(picturesVariable + "_ONLY"),
	}
	t.Log(runInChromium(t, home, "pictures.mjs", task, npmPuppeteer))
}

// picturesServer serves folders such as people have, to the user ann.
func picturesServer(t *testing.T) (url string) {
	t.Helper()
	dir := t.TempDir()
	share := filepath.Join(dir, "share")
	writeOffice(t, share)
	for i := range 23 {
		writeLandscape(t, filepath.Join(share, "Photos", "Iceland 2026", fmt.Sprintf("IMG_%d.jpg", 2041+i)), i)
	}
	config := filepath.Join(dir, "davd.yaml")
	writeFile(t, config, []byte(`page: full
shares:
  /:
    dir: `+share+`
    rights: {users: write}
    paths: {/Payroll: {users: [create]}}
users:
  ann: {password: "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}
`))
	return startDavd(t, "serve", "--addr", "127.0.0.1:0", "--state", t.TempDir(), "--config", config).url
}

// slowPicturesServer serves a folder whose copy takes long.
func slowPicturesServer(t *testing.T) (url string) {
	t.Helper()
	share := t.TempDir()
	for i := range 3000 {
		writeFile(t, filepath.Join(share, "Photo archive", fmt.Sprintf("Scan %04d.tif", i+1)), make([]byte, 40_000+i*7))
	}
	for _, name := range []string{"Backup", "Contracts", "Invoices 2026", "Photos"} {
		makeFolder(t, filepath.Join(share, name))
	}
	writeSized(t, filepath.Join(share, "Annual report 2025.pdf"), 4_812_331, 40*24*time.Hour)
	writeSized(t, filepath.Join(share, "Site visit.mp4"), 912_331_904, 90*time.Minute)
	return serve(t, "--page", "full", "--latency", "10ms", share).url
}

// largePicturesServer serves a folder with very many files.
func largePicturesServer(t *testing.T) (url string) {
	t.Helper()
	share := t.TempDir()
	dir := filepath.Join(share, "Sensor readings")
	makeFolder(t, dir)
	for i := range largeFolder {
		writeSized(t, filepath.Join(dir, fmt.Sprintf("station-%02d-%05d.csv", i%64, i)), int64(1200+i*37%90_000), time.Duration(i)*time.Minute)
	}
	return serve(t, "--page", "full", share).url
}
