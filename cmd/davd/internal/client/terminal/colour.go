package terminal

import (
	"io"
	"os"
)

// A Colour is one of the eight colours that every terminal has.
type Colour string

// The colours in use.
const (
	Red   Colour = "31"
	Green Colour = "32"
	Blue  Colour = "34"
)

// Bold returns text in bold letters and in the colour c.
func Bold(c Colour, text string) string { return "\x1b[1;" + string(c) + "m" + text + "\x1b[0m" }

// Colours reports whether what is written to w may have colours: w is a terminal that shows
// them, and the user has not set NO_COLOR (https://no-color.org).
func Colours(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return Width(file) > 0 && colours(file.Fd())
}
