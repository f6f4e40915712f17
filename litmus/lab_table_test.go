package litmus

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
)

// matrix holds the results of the lab.
var matrix labMatrix

type labMatrix struct {
	mu    sync.Mutex
	cells map[string]map[string]string // by row and column
}

func (m *labMatrix) note(row, column, cell string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = make(map[string]map[string]string)
	}
	if m.cells[row] == nil {
		m.cells[row] = make(map[string]string)
	}
	m.cells[row][column] = cell
}

func (m *labMatrix) missing(row string, why error) { m.note(row, "version", "not run: "+why.Error()) }

// A labColumn is a column of a table, with the key of its cells and its heading.
type labColumn struct{ key, heading string }

var (
	clientColumns = []labColumn{{"version", "Version"}, {"auto", "`auto`"}, {"timeout", "102 outlives its time-out"}, {"always", "`always`, no cap"}}
	proxyColumns  = []labColumn{
		{"version", "Version"},
		{"auto", "`auto`, curl does not ask"},
		{"asked", "`auto`, curl asks"},
		{"timeout", "102 outlives its time-out"},
		{"always", "`always`"},
		{"declared", "with the flags"},
		{"origin", "leads through it, with `--trusted-proxy`"},
	}
)

// write writes both tables in Markdown. A row that was not run only has the cell that says so.
func (m *labMatrix) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clients := []string{davfsRow}
	for _, c := range labClients {
		clients = append(clients, c.name)
	}
	m.writeTable(w, "Client", clients, clientColumns)
	fmt.Fprintln(w)
	var proxies []string
	for _, p := range labProxies {
		proxies = append(proxies, p.name)
	}
	m.writeTable(w, "Proxy", proxies, proxyColumns)
}

func (m *labMatrix) writeTable(w io.Writer, first string, rows []string, columns []labColumn) {
	fmt.Fprintf(w, "| %s |", first)
	for _, column := range columns {
		fmt.Fprintf(w, " %s |", column.heading)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" --- |", len(columns)))
	for _, row := range rows {
		fmt.Fprintf(w, "| %s |", row)
		for _, column := range columns {
			cell := strings.ReplaceAll(m.cells[row][column.key], "|", "\\|")
			if cell == "" {
				cell = "-"
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		fmt.Fprintln(w)
	}
}

// The tables are between these lines of a page.
const (
	matrixBegin = "<!-- matrix: made by make litmus -->\n"
	matrixEnd   = "<!-- end of matrix -->\n"
)

// errNoPlace means that a page lacks the markers.
var errNoPlace = fmt.Errorf("no lines %q and %q", strings.TrimSpace(matrixBegin), strings.TrimSpace(matrixEnd))

// insertTable replaces the text between the markers of page with table.
func insertTable(page, table []byte) ([]byte, error) {
	before, rest, begun := bytes.Cut(page, []byte(matrixBegin))
	_, after, ended := bytes.Cut(rest, []byte(matrixEnd))
	if !begun || !ended {
		return nil, errNoPlace
	}
	return bytes.Join([][]byte{before, []byte(matrixBegin), table, []byte(matrixEnd), after}, nil), nil
}

// writeMatrix writes the tables to w and, unless name is "", into the page with that file name.
func writeMatrix(w io.Writer, name string) error {
	var table bytes.Buffer
	matrix.write(&table)
	if _, err := w.Write(table.Bytes()); err != nil || name == "" {
		return err
	}
	page, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	page, err = insertTable(page, table.Bytes())
	if err != nil {
		_, err = fmt.Fprintf(w, "\n%s does not get the matrix: %v\n", name, err)
		return err
	}
	return os.WriteFile(name, page, 0o644)
}

func TestInsertTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ page, want string }{
		"between the markers": {"a\n" + matrixBegin + "old\n" + matrixEnd + "b\n", "a\n" + matrixBegin + "new\n" + matrixEnd + "b\n"},
		"no markers":          {"a\nb\n", ""},
		"no end":              {"a\n" + matrixBegin + "b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := insertTable([]byte(c.page), []byte("new\n"))
			if string(got) != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}
