package litmus

import (
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// office are files with their sizes in bytes and ages in hours.
var office = []struct {
	name  string
	size  int64
	hours int
}{
	{"Annual report 2025.pdf", 4_812_331, 960},
	{"Budget 2026.xlsx", 88_412, 3},
	{"Interview – Dr. Okafor.mp3", 48_310_772, 220},
	{"Kick-off meeting.mp4", 912_331_904, 190},
	{"Minutes of the extraordinary general meeting on the proposed extension of the harbour bridge, with amendments.docx", 41_220, 70},
	{"README.md", 2_104, 1200},
	{"backup-2026-11-29.tar.gz", 2_311_904_118, 25},
	{"floor plan.svg", 18_204, 800},
	{"notes.txt", 731, 1},
	{"תוכנית עבודה 2026.docx", 52_118, 300},
	{"تقرير المبيعات السنوي.pdf", 1_204_331, 410},
	{"Contracts/Harbour Ltd.pdf", 310_221, 500},
	{"Field recordings/River at dawn.flac", 88_123_400, 77},
	{"Invoices 2026/2026-001.pdf", 44_000, 90},
	{"Payroll/secret.txt", 4, 9},
	{"Photos/Cover.jpg", 0, 30},
	{"Website/index.html", 1_200, 600},
	{"Projects/2026/Harbour bridge/Drawings and calculations/Structural steel/Revision C/Sheet S-101 general arrangement.pdf", 2_204_118, 55},
	{"Projects/2026/Harbour bridge/Drawings and calculations/Structural steel/Revision C/Sheet S-102 north abutment.pdf", 1_904_118, 55},
	{"Projects/2026/Harbour bridge/Drawings and calculations/Structural steel/Revision C/Calculations.xlsx", 704_118, 52},
}

// writeOffice writes the files of an office, and an empty folder.
func writeOffice(t *testing.T, share string) {
	t.Helper()
	for _, file := range office {
		writeSized(t, filepath.Join(share, filepath.FromSlash(file.name)), file.size, time.Duration(file.hours)*time.Hour)
	}
	writeLandscape(t, filepath.Join(share, "Photos", "Cover.jpg"), 4)
	makeFolder(t, filepath.Join(share, "Inbox"))
	writeFile(t, filepath.Join(share, "notes.txt"), []byte("Harbour bridge, week 48\n\n- Sheet S-102 goes to the engineers on Thursday.\n- Ask Dr. Okafor about the tide tables of 1953.\n- The north abutment needs a second survey before the frost.\n"))
	writeFile(t, filepath.Join(share, "floor plan.svg"), []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200"><rect width="320" height="200" fill="#f7f4ec"/><path d="M20 20h280v160H20zM140 20v70M140 120v60M140 120h70M240 120h60M220 20v60" fill="none" stroke="#34495e" stroke-width="6"/></svg>`))
	for _, name := range []string{"Contracts", "Field recordings", "Invoices 2026", "Photos", "Website", "Projects", "Inbox", "Payroll"} {
		setAge(t, filepath.Join(share, name), time.Duration(len(name))*11*time.Hour)
	}
}

func makeFolder(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
}

// writeSized writes a file that takes no space.
func writeSized(t *testing.T, name string, size int64, age time.Duration) {
	t.Helper()
	makeFolder(t, filepath.Dir(name))
	writeFile(t, name, nil)
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	setAge(t, name, age)
}

func setAge(t *testing.T, name string, age time.Duration) {
	t.Helper()
	at := time.Now().Add(-age)
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
}

// writeLandscape writes a picture of hills, with other colours for each kind.
func writeLandscape(t *testing.T, name string, kind int) {
	t.Helper()
	width, height := 960, 640
	if kind%5 == 3 {
		width, height = height, width
	}
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			picture.SetRGBA(x, y, landscape(float64(x)/float64(width), float64(y)/float64(height), kind))
		}
	}
	makeFolder(t, filepath.Dir(name))
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, picture, &jpeg.Options{Quality: 82}); err != nil {
		t.Fatal(err)
	}
	setAge(t, name, time.Duration(kind)*7*time.Hour)
}

// The colours of sky and ground, from top to bottom.
var skies = [][2]color.RGBA{
	{{40, 82, 140, 255}, {244, 190, 140, 255}},
	{{96, 160, 214, 255}, {226, 238, 244, 255}},
	{{28, 30, 62, 255}, {214, 92, 84, 255}},
	{{120, 132, 148, 255}, {218, 220, 220, 255}},
}

var grounds = [][2]color.RGBA{
	{{86, 104, 122, 255}, {26, 34, 46, 255}},
	{{112, 150, 108, 255}, {34, 62, 40, 255}},
	{{150, 96, 84, 255}, {48, 28, 34, 255}},
}

// landscape returns the colour of a point of a picture.
func landscape(x, y float64, kind int) color.RGBA {
	sky, ground := skies[kind%len(skies)], grounds[kind%len(grounds)]
	const hills = 5
	for i := hills - 1; i >= 0; i-- {
		n := float64(i)
		phase := float64(kind)*1.7 + n*2.3
		top := 0.42 + n*0.13 + 0.07*math.Sin(x*(3+n)+phase) + 0.03*math.Sin(x*11+phase*2) + 0.008*math.Sin(x*43+phase)
		if y > top {
			return mixed(ground[0], ground[1], (n+min(1, (y-top)*2))/hills)
		}
	}
	sunX, sunY := 0.2+0.6*math.Mod(float64(kind)*0.37, 1), 0.24
	if near := math.Hypot(x-sunX, (y-sunY)*0.7); near < 0.05 {
		return color.RGBA{255, 242, 214, 255}
	}
	return mixed(sky[0], sky[1], min(1, y*1.8))
}

func mixed(a, b color.RGBA, part float64) color.RGBA {
	part = max(0, min(1, part))
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*part) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
