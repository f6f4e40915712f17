package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quantile is the smallest of the samples that q of them are not above; 0 of
// none.
func quantile(samples []time.Duration, q float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank-1, 0), len(sorted)-1)]
}

// median is the middle of the samples, or between the two in the middle.
func median(samples []time.Duration) time.Duration {
	if len(samples)%2 == 1 {
		return quantile(samples, 0.5)
	}
	sorted := slices.Sorted(slices.Values(samples))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[len(sorted)/2-1] + sorted[len(sorted)/2]) / 2
}

// least is the shortest.
func least(samples []time.Duration) time.Duration { return quantile(samples, 0) }

// unit is how a time is shown: as it is, or as so much in that time.
type unit struct {
	amount float64
	per    string
}

const (
	perSecond      = "/s"
	bytesPerSecond = " GB/s"
)

func (u unit) format(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case u.per == perSecond:
		return thousands(int64(math.Round(u.amount/d.Seconds()))) + u.per
	case u.per == bytesPerSecond:
		return fmt.Sprintf("%.2f%s", u.amount/d.Seconds()/1e9, u.per)
	case d < time.Second:
		return significant(d.Seconds()*1000) + " ms"
	default:
		return significant(d.Seconds()) + " s"
	}
}

// significant writes three digits, and no exponent.
func significant(x float64) string {
	digits := 2 - int(math.Floor(math.Log10(x)))
	return fmt.Sprintf("%.*f", min(max(digits, 0), 3), x)
}

// thousands writes n with commas.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}

// ratio is a's time in b's, "×1.44"; empty where one is not known.
func ratio(a, b time.Duration) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return fmt.Sprintf("×%.2f", a.Seconds()/b.Seconds())
}
