package setting

import "strings"

// maxWord is the length of the longest word that is compared.
const maxWord = 100

// Closest returns the candidate that is most like word, for a message that corrects a misspelling.
// It returns "" if none is like it.
func Closest(word string, candidates []string) string {
	best, least := "", max(len(word)/3, 1)+1
	if len(word) > maxWord {
		return ""
	}
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// DidYouMean returns "; did you mean" and the closest candidate, or "".
func DidYouMean(word string, candidates []string) string {
	if closest := Closest(word, candidates); closest != "" {
		return "; did you mean " + closest + "?"
	}
	return ""
}

// distance returns how many letters must be inserted, removed, replaced or exchanged with the
// next one to make a into b (the optimal string alignment distance).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
