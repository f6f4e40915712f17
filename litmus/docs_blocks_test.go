package litmus

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A docsBlock is a fenced block of a page in docs/. After the language, the line that opens it
// says what tests do with it:
//
//	run           TestPages runs these commands, and compares the output of a console
//	file=NAME     TestPages writes this file and checks it as a configuration
//	excerpt=FILE  these lines are in that file of the repository, which other tests use
//	output        it shows what a program prints
//	not-run       no test runs it, and the page says so
type docsBlock struct {
	line           int
	lang, use, arg string
	text           string
}

// fence opens or closes a block, which may be part of a list.
var fence = regexp.MustCompile("^( *)```(.*)$")

// readBlocks returns the blocks of a page. A page without marks, and an indented block, which can't
// have one, are errors.
func readBlocks(t *testing.T, name string) []docsBlock {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []docsBlock
	open, indent, blank, number := false, "", true, 0
	for line := range strings.Lines(string(page)) {
		number++
		m := fence.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m != nil && open:
			open = false
		case m != nil:
			lang, mark, _ := strings.Cut(m[2], " ")
			use, arg, _ := strings.Cut(mark, "=")
			blocks = append(blocks, docsBlock{line: number, lang: lang, use: use, arg: arg})
			open, indent = true, m[1]
		case open:
			blocks[len(blocks)-1].text += strings.TrimPrefix(line, indent)
		case blank && strings.HasPrefix(line, "    "):
			t.Errorf("docs/%s:%d: a block without a fence", name, number)
		}
		blank = strings.TrimSpace(line) == ""
	}
	return blocks
}

// docsPages returns the names of all pages in docs/ for users.
func docsPages(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "clients/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "docs", pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range found {
			name, err := filepath.Rel(filepath.Join("..", "docs"), file)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, filepath.ToSlash(name))
		}
	}
	return names
}

// notRun is how a page says that some of its commands were not run.
var notRun = regexp.MustCompile(`(?i)\bnot (been )?(run|tested)\b`)

// TestDocsBlocks checks that each command and configuration in docs/ is run by a test, or that its
// page tells the reader that it is not.
func TestDocsBlocks(t *testing.T) {
	t.Parallel()
	for _, name := range docsPages(t) {
		for _, block := range readBlocks(t, name) {
			switch block.use {
			case "run", "output":
			case "file":
				if block.arg == "" || block.lang != "yaml" {
					t.Errorf("docs/%s:%d: a file must be YAML and have a name", name, block.line)
				}
			case "excerpt":
				checkExcerpt(t, name, block)
			case "not-run":
				if !notRun.MatchString(prose(t, name)) {
					t.Errorf("docs/%s:%d is not run, but the page does not say so", name, block.line)
				}
			default:
				t.Errorf("docs/%s:%d: the block does not say what tests do with it", name, block.line)
			}
		}
	}
}

// prose returns a page without its blocks.
func prose(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(string(page), "")
}

// checkExcerpt checks that the file of an excerpt has its lines, whatever their indentation.
func checkExcerpt(t *testing.T, name string, block docsBlock) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(block.arg)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(unindented(string(file)), "\n"+unindented(block.text)) {
		t.Errorf("docs/%s:%d: %s does not have these lines", name, block.line, block.arg)
	}
}

func unindented(text string) string {
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(text, "")
}
