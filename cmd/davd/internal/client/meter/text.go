package meter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// barWidth is the length of the bar between its brackets, in characters.
const barWidth = 20

// line returns the text of s for a line that is not redrawn.
func (s State) line() string {
	text := s.members()
	if s.Bytes > 0 || s.TotalBytes > 0 {
		text += "  " + strconv.FormatInt(s.Bytes, 10)
		if s.TotalBytes >= 0 && s.Final {
			text += "/" + strconv.FormatInt(s.TotalBytes, 10)
		}
		text += " bytes"
	}
	if s.Member != "" {
		text += "  " + s.Member
	}
	return text
}

func (s State) members() string {
	done, total := strconv.FormatInt(s.Done, 10), strconv.FormatInt(s.Total, 10)
	switch {
	case s.Total < 0:
		return done
	case !s.Final:
		return done + " of " + total + " found so far"
	}
	return done + "/" + total
}

// bar returns the text of s in at most width characters. The text contains the speed since
// the state from, which was after ago. If it is too long, the member is shortened or omitted,
// and then the rest is shortened.
func (s State) bar(width int, from State, after time.Duration) string {
	var parts []string
	if share, known := s.share(); known {
		full := int(share * barWidth)
		parts = append(parts, "["+strings.Repeat("=", full)+strings.Repeat(" ", barWidth-full)+"] "+fmt.Sprintf("%3.0f%%", math.Floor(share*100)))
	}
	parts = append(parts, s.members())
	if seconds := after.Seconds(); s.Bytes > from.Bytes && seconds >= 1 {
		parts = append(parts, size(float64(s.Bytes-from.Bytes)/seconds)+"/s")
	}
	if left, ok := s.left(from, after); ok {
		parts = append(parts, clock(left)+" left")
	}
	line := shorten(strings.Join(parts, "  "), width)
	if room := width - utf8.RuneCountInString(line) - 2; s.Member != "" && room >= 8 {
		line += "  " + shorten(s.Member, room)
	}
	return line
}

// share returns how much is done, from 0 to 1. It refers to the bytes if their total is known,
// and otherwise to the members. It is unknown if the totals may grow.
func (s State) share() (share float64, known bool) {
	switch {
	case !s.Final:
		return 0, false
	case s.TotalBytes > 0:
		share = float64(s.Bytes) / float64(s.TotalBytes)
	case s.Total > 0:
		share = float64(s.Done) / float64(s.Total)
	default:
		return 0, false
	}
	return min(max(share, 0), 1), true
}

// left estimates the remaining time from the progress since the state from.
func (s State) left(from State, after time.Duration) (left time.Duration, ok bool) {
	share, known := s.share()
	from.Total, from.TotalBytes, from.Final = s.Total, s.TotalBytes, s.Final
	before, _ := from.share()
	if !known || share <= before || after < 2*time.Second {
		return 0, false
	}
	estimate := after.Seconds() * (1 - share) / (share - before)
	if estimate > 100*time.Hour.Seconds() {
		return 0, false
	}
	return time.Duration(estimate * float64(time.Second)), true
}

// summary returns the text of s for an operation that has succeeded, and so has done all of it.
func (s State) summary(verb string, took time.Duration) string {
	var counts []string
	members, bytes := max(s.Done, s.Total), max(s.Bytes, s.TotalBytes)
	if members > 0 {
		counts = append(counts, counted(members, "member"))
	}
	if bytes > 0 {
		counts = append(counts, counted(bytes, "byte"))
	}
	text := fmt.Sprintf("%s in %.1f s", strings.TrimSpace(verb+" "+strings.Join(counts, ", ")), took.Seconds())
	if bytes > 0 && took >= time.Second {
		text += ", " + size(float64(bytes)/took.Seconds()) + "/s"
	}
	return text
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

// clock formats d as 1:02:03 or 2:03.
func clock(d time.Duration) string {
	seconds := int(d.Round(time.Second).Seconds())
	if hours := seconds / 3600; hours > 0 {
		return fmt.Sprintf("%d:%02d:%02d", hours, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// Size formats n bytes with a suitable unit, in powers of 1000 as on davd's pages.
func Size(n int64) string { return size(float64(n)) }

// size formats n bytes with a suitable unit, in powers of 1000 as on davd's pages.
func size(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	unit := 0
	for n >= 999.5 && unit < len(units)-1 {
		n /= 1000
		unit++
	}
	if unit > 0 && n < 9.95 {
		return fmt.Sprintf("%.1f %s", n, units[unit])
	}
	return fmt.Sprintf("%.0f %s", n, units[unit])
}

// shorten removes characters from the middle of s, so that at most width remain.
func shorten(s string, width int) string {
	runes := []rune(s)
	switch {
	case len(runes) <= width:
		return s
	case width <= 3:
		return string(runes[:max(width, 0)])
	}
	head := (width - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(width-1-head):])
}
