package litmus

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The programs in this file don't show a status. The line for a successful step pretends that
// they do. The files on the disk show whether the step was really done.

// toldDone returns the line for a step of a program that has ended.
func toldDone(step string, run clientRun) string {
	if run.failed {
		text := lines(run.stderr)
		causes := strings.Split(text[len(text)-1], ": ")
		return step + " " + causes[len(causes)-1]
	}
	if step == "GET" {
		return "GET 200 " + strings.TrimSpace(run.stdout)
	}
	if step == "PROPFIND" { // the program omits the collection itself
		return fmt.Sprintf("PROPFIND 207 %d", 1+len(lines(run.stdout)))
	}
	return labAnswers[step]
}

// rcloneSteps runs rclone for each step, without retries.
func rcloneSteps(name string) labProgram {
	commands := map[string][]string{
		"COPY":     {"copyto", "dav:big", "dav:copied"},
		"GET":      {"cat", "dav:src/file 007.txt"},
		"PROPFIND": {"lsf", "dav:list"},
		"MOVE":     {"moveto", "dav:moving", "dav:other/moved"},
		"DELETE":   {"purge", "dav:deleting"},
	}
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		var result []string
		for _, step := range r.steps {
			remote := fmt.Sprintf(":webdav,url='%s':", r.url)
			args := []string{"--config", filepath.Join(r.dir, "rclone.conf"), "--retries", "1", "--low-level-retries", "1", "--timeout", r.timeout.String()}
			for _, arg := range commands[step] {
				args = append(args, strings.Replace(arg, "dav:", remote, 1))
			}
			result = append(result, toldDone(step, client{name: name, args: args, home: r.dir}.run(t)))
		}
		return result
	}
}

// gioCan omits DELETE, which gio only sends for a file or an empty collection.
var gioCan = []string{"COPY", "GET", "PROPFIND", "MOVE", "GET"}

// gioSteps runs gio for each step, in one session that has the share mounted.
func gioSteps(t *testing.T, r labRun) []string {
	t.Helper()
	commands := map[string]string{
		"COPY":     `gio copy "$dav/big" "$dav/copied"`,
		"GET":      `gio cat "$dav/src/file%20007.txt"`,
		"PROPFIND": `gio list "$dav/list"`,
		"MOVE":     `gio move "$dav/moving" "$dav/other/moved"`,
	}
	const next, failed = "--next--\n", "--failed--\n"
	var session strings.Builder
	fmt.Fprintf(&session, "dav=%s\ngio mount \"$dav\" || exit 1\n", "dav"+strings.TrimPrefix(r.url, "http"))
	for _, step := range r.steps {
		fmt.Fprintf(&session, "echo %s%s 2>errors || { cat errors; echo %s}\n", next, commands[step], failed)
	}
	session.WriteString("gio mount --unmount \"$dav\"\n")
	run := client{name: "dbus-run-session", args: []string{"--", "env", "XDG_RUNTIME_DIR=" + r.dir, "sh", "-c", session.String()}, dir: r.dir, home: r.dir}.mustRun(t)
	var result []string
	for i, text := range strings.Split(run.stdout, next)[1:] {
		text, wrong := strings.CutSuffix(text, failed)
		result = append(result, toldDone(r.steps[i], clientRun{stdout: text, stderr: text, failed: wrong}))
	}
	return result
}

// cadaverSession does the steps in one session of cadaver.
func cadaverSession(t *testing.T, r labRun) []string {
	t.Helper()
	typed := map[string]string{
		"COPY":     "copy src copied",
		"GET":      `cat src/file\ 007.txt`,
		"PROPFIND": "ls list",
		"MOVE":     "move moving other/moved",
		"DELETE":   "rmcol deleting",
	}
	var session strings.Builder
	for _, step := range r.steps {
		session.WriteString(typed[step] + "\n")
	}
	run := client{name: "cadaver", args: []string{r.url + "/"}, dir: r.dir, home: r.dir, stdin: session.String() + "quit\n"}.run(t)
	answers := strings.Split(run.stdout+run.stderr, "dav:/> ")
	var result []string
	for i, step := range r.steps {
		if i+1 >= len(answers) {
			break
		}
		_, answer, _ := strings.Cut(answers[i+1], "\n")
		result = append(result, toldCadaver(step, answer))
	}
	return result
}

var cadaverMember = regexp.MustCompile(`(?m)^        file `)

func toldCadaver(step, answer string) string {
	switch {
	case step == "GET":
		return "GET 200 " + strings.TrimSpace(answer)
	case !strings.Contains(answer, "succeeded."):
		text := lines(answer)
		return step + " " + text[len(text)-1]
	case step == "PROPFIND":
		return fmt.Sprintf("PROPFIND 207 %d", 1+len(cadaverMember.FindAllString(answer, -1)))
	}
	return labAnswers[step]
}
