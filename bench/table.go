package main

import (
	"fmt"
	"io"
	"strings"
)

// table is a Markdown table.
type table struct {
	title   string
	columns []string
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// writeTo writes the title, the table, and an empty line.
func (t *table) writeTo(w io.Writer) error {
	lines := []string{"**" + t.title + "**", "", tableLine(t.columns), tableLine(strings.Split(strings.Repeat("---,", len(t.columns)-1)+"---", ","))}
	for _, row := range t.rows {
		for len(row) < len(t.columns) {
			row = append(row, "")
		}
		lines = append(lines, tableLine(row))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n")+"\n")
	return err
}

func tableLine(cells []string) string {
	clean := make([]string, len(cells))
	for i, cell := range cells {
		clean[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell)
	}
	return "| " + strings.Join(clean, " | ") + " |"
}
