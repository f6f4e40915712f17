package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quantile returns the smallest sample that is not below a fraction q of the samples, or 0 if
// there are no samples.
func quantile(samples []time.Duration, q float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank-1, 0), len(sorted)-1)]
}

// median returns the median, or 0 if there are no samples.
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

// least returns the shortest sample.
func least(samples []time.Duration) time.Duration { return quantile(samples, 0) }

// unit says how to show a time: as it is, or as a rate of amount in that time.
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

// significant formats x with three significant digits and without an exponent.
func significant(x float64) string {
	digits := 2 - int(math.Floor(math.Log10(x)))
	return fmt.Sprintf("%.*f", min(max(digits, 0), 3), x)
}

// thousands formats n with commas.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}

// ratio returns a divided by b, such as "×1.44". It is empty if one of them is unknown.
func ratio(a, b time.Duration) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return fmt.Sprintf("×%.2f", a.Seconds()/b.Seconds())
}
