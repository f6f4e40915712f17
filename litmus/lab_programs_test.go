package litmus

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A versionOf finds the version of a program.
type versionOf func(t *testing.T) string

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+`)

func firstNumber(s string) string { return versionNumber.FindString(s) }

// printed returns the first version number that a program prints.
func printed(name string, args ...string) versionOf {
	return func(t *testing.T) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		out, _ := cmd.CombinedOutput() // some print the version and fail
		return firstNumber(string(out))
	}
}

// packaged returns the version of a Debian package.
func packaged(name string) versionOf {
	return printed("dpkg-query", "--show", "--showformat=${Version}", name)
}

// goModule returns the version of the main module of a Go program.
func goModule(file string) versionOf {
	return func(t *testing.T) string {
		t.Helper()
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return firstNumber(info.Main.Version)
	}
}

// seconds formats d in seconds.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// script runs an interpreter with a program from testdata/lab. Arguments that are names of files in
// that directory become their paths.
func script(name string, args ...string) labProgram {
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		var all []string
		for _, arg := range args {
			file := filepath.Join("testdata", "lab", arg)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				arg = file
			}
			all = append(all, arg)
		}
		ask := ""
		if r.ask {
			ask = "ask"
		}
		all = append(append(all, r.url, seconds(r.timeout), ask), r.steps...)
		return lines(client{name: name, args: all, home: r.dir}.mustRun(t).stdout)
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// labRequests has the path and a header field of each step's request.
var labRequests = map[string][2]string{
	"COPY":     {"/src", "Destination: /copied"},
	"GET":      {"/src/file%20007.txt", ""},
	"PROPFIND": {"/list", "Depth: 1"},
	"MOVE":     {"/moving", "Destination: /other/moved"},
	"DELETE":   {"/deleting", ""},
}

// told returns the line for a step with this status and body.
func told(step, status, body string) string {
	switch step {
	case "GET":
		return fmt.Sprintf("GET %s %s", status, strings.TrimSpace(body))
	case "PROPFIND":
		return fmt.Sprintf("PROPFIND %s %d", status, strings.Count(body, "<D:response>"))
	}
	return step + " " + status
}

// curlError matches the part of curl's error messages that differs between runs.
var curlError = regexp.MustCompile(` after \d+ milliseconds.*`)

// curlSteps runs one curl for all steps, on one connection. $step in an option stands for the
// number of the step.
func curlSteps(options ...string) labProgram {
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		args := []string{"--fail-early"}
		for i, step := range r.steps {
			request := labRequests[step]
			args = append(args, "--silent", "--noproxy", "*", "--request", step, "--max-time", seconds(r.timeout),
				"--write-out", "%{http_code} %{num_connects} %{errormsg}\n", "--output", filepath.Join(r.dir, strconv.Itoa(i)))
			for _, option := range options {
				args = append(args, strings.ReplaceAll(option, "$step", strconv.Itoa(i)))
			}
			if request[1] != "" {
				args = append(args, "--header", request[1])
			}
			if r.ask {
				args = append(args, "--header", "Prefer: processing")
			}
			args = append(args, r.url+request[0], "--next")
		}
		run := client{name: "curl", args: append([]string{"--disable"}, args[:len(args)-1]...), home: r.dir}.run(t)
		result, connections := lines(run.stdout), 0
		for i, line := range result {
			fields := strings.SplitN(strings.TrimSpace(line)+" ", " ", 3)
			if len(fields) != 3 || i >= len(r.steps) {
				t.Fatalf("curl says %q: %s", run.stdout, run.stderr)
			}
			connections += atoi(t, fields[1])
			body, _ := os.ReadFile(filepath.Join(r.dir, strconv.Itoa(i))) // may not exist
			result[i] = strings.TrimSpace(told(r.steps[i], fields[0], string(body)) + " " + curlError.ReplaceAllString(fields[2], ""))
		}
		if connections > 1 && !r.proxied {
			return append([]string{fmt.Sprintf("%d connections", connections)}, result...)
		}
		return result
	}
}

// wgetSteps runs wget for each step, so each step has its own connection.
func wgetSteps(t *testing.T, r labRun) []string {
	t.Helper()
	var result []string
	for _, step := range r.steps {
		request := labRequests[step]
		args := []string{"--no-config", "--no-proxy", "--server-response", "--tries=1", "--read-timeout=" + seconds(r.timeout), "--method=" + step, "--output-document=-"}
		if request[1] != "" {
			args = append(args, "--header="+request[1])
		}
		if r.ask {
			args = append(args, "--header=Prefer: processing")
		}
		run := client{name: "wget", args: append(args, r.url+request[0]), home: r.dir}.run(t)
		statuses := regexp.MustCompile(`(?m)^  HTTP/1\.1 (\d+)`).FindAllStringSubmatch(run.stderr, -1)
		status := "no status"
		if len(statuses) > 0 {
			status = statuses[len(statuses)-1][1]
		}
		if run.failed {
			status = "failed " + status
		}
		result = append(result, told(step, status, run.stdout))
	}
	return result
}
