package litmus

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// servePages starts a davd with the file browser for the directory share, which has files. With a
// user, it asks for that user's password.
func servePages(t *testing.T, share, user string, files map[string]string, flags ...string) *server {
	t.Helper()
	fillDirectory(t, share, files)
	flags = append(flags, "--page", "full")
	if user != "" {
		users := filepath.Join(t.TempDir(), "users")
		writeFile(t, users, []byte(pageUsers))
		flags = append(flags, "--htpasswd", users)
	}
	return serve(t, append(flags, share)...)
}

func fillDirectory(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		writeFile(t, filepath.Join(dir, name), []byte(content))
	}
}

// filePageServer has some files and two pictures.
func filePageServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	share := t.TempDir()
	writePicture(t, filepath.Join(share, "photos", "red.png"), 64)
	writePicture(t, filepath.Join(share, "photos", "tiny.png"), 1)
	return servePages(t, share, user, map[string]string{
		"IMG_9.txt": "nine", ".secret": "", "fdp\u202etxt.exe": "x", "שלום.txt": "abc", "Documents/deeper/deep.txt": "deep",
		"page.html": "<p>page</p>", "picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>`,
		"IMG_10.txt": "ten, which is the largest of the files " + strings.Repeat("and longer ", 20),
	}, flags...)
}

// slowPageServer is slow, and has a collection whose copy takes some seconds.
func slowPageServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	files := map[string]string{"target/a.txt": "a", "b.txt": "b"}
	for i := range pageFiles {
		files["many/"+strconv.Itoa(i)+".txt"] = "content"
	}
	return servePages(t, t.TempDir(), user, files, append(flags, "--latency", "20ms")...)
}

// mediaServer has a file of each kind that the page shows. sound.wav is so long that a browser does
// not read all of it when it begins to play.
func mediaServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	share := t.TempDir()
	for _, picture := range []struct {
		name string
		size int
	}{{"first.png", 64}, {"second.png", 1}, {"third.png", 2000}} {
		writePicture(t, filepath.Join(share, picture.name), picture.size)
	}
	clip, err := os.ReadFile(filepath.Join("testdata", "lab", "filepage", "clip.webm"))
	if err != nil {
		t.Fatal(err)
	}
	return servePages(t, share, user, map[string]string{
		"clip.webm": string(clip), "sound.wav": string(sound(3000)), "document.pdf": pdf(""),
		"notes.txt": "first line\nsecond <b>line</b>", "long.log": strings.Repeat("a line of the log\n", 60_000),
		"broken.png": "this is no picture", "broken.webm": "this is no video", "unknown.bin": "\x00\x01",
	}, flags...)
}

// hostilePageNames are names of files that try to be something else. Each has the content of its kind.
var hostilePageNames = []string{
	`<img src=x onerror=hacked()>.txt`, `"><script>hacked()<`, "javascript:hacked()", "a\nb.txt", "fdp\u202etxt.exe", "..%2f..%2fetc.txt",
	`'; hacked(); '.txt`, "&lt;b&gt;.txt", "%00.txt", "\u200b.txt", "?zip", "#fragment.txt", "a+b %20.txt", "back\\slash.txt", "con{{.Title}}.txt",
	strings.Repeat("long", 60) + ".txt", "\xff\xfe.txt", "⚠️ 日本語 עברית.txt", " leading and trailing ", "...",
}

// hostileServer has files that try to run scripts in the page. All call or set hacked.
func hostileServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	const run = "window.hacked = parent.hacked = top.hacked = 1; fetch('/stolen', {method: 'PUT', body: document.cookie})"
	files := map[string]string{
		"active/page.html":   "<!DOCTYPE html><title>page</title><body onload=\"" + run + "\"><script>" + run + "</script><form action=/stolen method=post><button>x</button></form>",
		"active/page.xhtml":  `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title><script>` + run + `</script></head><body/></html>`,
		"active/picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="` + run + `"><script>` + run + `</script><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:` + run + `"/></foreignObject></svg>`,
		"active/script.js":   run, "active/style.css": "@import '/stolen'; * { display: none }", "active/data.xml": `<?xml-stylesheet type="text/xsl" href="script.js"?><a/>`,
		"active/document.pdf": pdf("/OpenAction << /S /JavaScript /JS (this.submitForm('/stolen'); app.launchURL('/stolen')) >>"),
		"active/page.txt":     "<script>" + run + "</script>", "active/sniffed.png": "<!DOCTYPE html><script>" + run + "</script>",
		"active/manifest.json": `{"start_url": "/stolen"}`, "active/worker.mjs": run,
	}
	for _, name := range hostilePageNames {
		files["names/"+name] = "content of " + name
		files["folders/"+name+"/member.txt"] = "member"
	}
	return servePages(t, t.TempDir(), user, files, flags...)
}

// pdf returns a document with one page. more are entries of its catalog.
func pdf(more string) string {
	const content = "BT /F1 24 Tf 20 150 Td (A page of davd) Tj ET"
	var file bytes.Buffer
	file.WriteString("%PDF-1.4\n")
	var places []int
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R " + more + " >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		places = append(places, file.Len())
		fmt.Fprintf(&file, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := file.Len()
	fmt.Fprintf(&file, "xref\n0 %d\n0000000000 65535 f \n", len(places)+1)
	for _, place := range places {
		fmt.Fprintf(&file, "%010d 00000 n \n", place)
	}
	fmt.Fprintf(&file, "trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(places)+1, table)
	return file.String()
}

// sound returns a WAV file with this many seconds.
func sound(seconds uint32) []byte {
	const rate = 8000 // bytes a second
	size := seconds * rate
	var file bytes.Buffer
	file.WriteString("RIFF")
	_ = binary.Write(&file, binary.LittleEndian, 36+size)
	file.WriteString("WAVEfmt ")
	for _, field := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)} {
		_ = binary.Write(&file, binary.LittleEndian, field)
	}
	file.WriteString("data")
	_ = binary.Write(&file, binary.LittleEndian, size)
	file.Write(bytes.Repeat([]byte{128}, int(size)))
	return file.Bytes()
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

// pageConfig is the beginning of a configuration with two users, whose password is "secret".
const pageConfig = `
page: full
users:
  ann: {password: "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}
  bob: {password: "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}
`

// serveShares starts a davd with shares from a configuration, where $dir stands for the directory
// of their files.
func serveShares(t *testing.T, config string, files map[string]string, flags ...string) *server {
	t.Helper()
	dir := t.TempDir()
	fillDirectory(t, dir, files)
	file := filepath.Join(t.TempDir(), "davd.yaml")
	writeFile(t, file, []byte(strings.ReplaceAll(config, "$dir", dir)))
	return serve(t, append(flags, "--config", file)...)
}

// sharesServer has two shares on one disk. The user has a home that is shown at /.
func sharesServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	config, subject := "page: full\n", "anyone"
	if user != "" {
		config, subject = pageConfig, "users"
	}
	config += `
shares:
  /music: {dir: "$dir/music", rights: {` + subject + `: write}}
  /films: {dir: "$dir/films", rights: {` + subject + `: write}}
`
	return serveShares(t, config, map[string]string{
		"music/song.txt": "la", "music/albums/one/track.txt": "1", "music/albums/two/track.txt": "2", "films/film.txt": "roll", "films/song.txt": "another song",
	}, flags...)
}

// deepServer is slow, and has so many folders that a search takes several seconds and its results
// arrive in several parts.
func deepServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	files := map[string]string{"first.txt": "1"}
	for i := range deepFolders {
		for j := range 12 {
			files[fmt.Sprintf("archive/folder %d/report of the year %d, in more detail.txt", i, 2000+j)] = "r"
		}
	}
	return servePages(t, t.TempDir(), user, files, append(flags, "--latency", "200ms")...)
}

const deepFolders = 300

// brokenServer has what a browser can't open: a folder without the right to list it, a share whose
// disk is missing, one that is full, and one with a file that can't be read.
func brokenServer(t *testing.T, user string, flags ...string) *server {
	t.Helper()
	config, subject := "page: full\n", "anyone"
	if user != "" {
		config, subject = pageConfig, "users"
	}
	gone, damaged := t.TempDir(), filepath.Join(t.TempDir(), "damaged.zip")
	writeDamagedArchive(t, damaged)
	config += `
shares:
  /docs: {dir: "$dir/docs", rights: {SUBJECT: write}, paths: {/letterbox: {SUBJECT: [create]}}}
  /gone: {dir: "` + gone + `", rights: {SUBJECT: write}}
  /full: {dir: "$dir/full", quota: 1KiB, rights: {SUBJECT: write}}
  /damaged: {zip: "` + damaged + `", rights: {SUBJECT: read}}
`
	s := serveShares(t, strings.ReplaceAll(config, "SUBJECT", subject), map[string]string{
		"docs/letterbox/letter.txt": "letter", "docs/locked/a.txt": "a", "full/a.txt": strings.Repeat("a", 1000),
	}, flags...)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	return s
}

// writeDamagedArchive writes a ZIP file in which sub/odd.txt is compressed in an unknown way.
func writeDamagedArchive(t *testing.T, name string) {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for member, method := range map[string]uint16{"whole.txt": zip.Store, "sub/odd.txt": 99} {
		w, err := archive.CreateRaw(&zip.FileHeader{Name: member, Method: method, CompressedSize64: 5, UncompressedSize64: 5, CRC32: crc32.ChecksumIEEE([]byte("whole"))})
		if err == nil {
			_, err = w.Write([]byte("whole"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, name, file.Bytes())
}

// rightsServer has shares where ann has few rights.
func rightsServer(t *testing.T, _ string, flags ...string) *server {
	t.Helper()
	return serveShares(t, pageConfig+`
shares:
  /docs:
    dir: $dir/docs
    rights: {ann: write}
    paths:
      /contracts: {ann: read}
      /inbox: {ann: add}
      /kept.txt: {ann: [list, read, write]}
      /secret: {ann: none}
  /photos: {dir: "$dir/photos", rights: {users: read}}
  /private: {dir: "$dir/private", rights: {bob: write}}
`, map[string]string{
		"docs/own.txt": "own", "docs/kept.txt": "kept", "docs/contracts/contract.txt": "contract", "docs/inbox/letter.txt": "letter", "docs/secret/plan.txt": "plan",
		"photos/one.txt": "1", "photos/trip/two.txt": "2", "private/diary.txt": "dear",
	}, flags...)
}
