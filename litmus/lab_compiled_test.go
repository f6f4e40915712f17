package litmus

import (
	"debug/buildinfo"
	"path/filepath"
	"strings"
	"testing"
)

// builtWith returns the version of Go that built a program.
func builtWith(file string) versionOf {
	return func(t *testing.T) string {
		t.Helper()
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return firstNumber(info.GoVersion)
	}
}

// javaSteps compiles a class from testdata/lab with Steps.java and these jars, and runs it.
func javaSteps(class string, jars ...string) labProgram {
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		path := strings.Join(append(jars, r.dir), string(filepath.ListSeparator))
		sources := filepath.Join("testdata", "lab")
		client{name: "javac", args: []string{
			"-nowarn", "-d", r.dir, "-cp", path, filepath.Join(sources, "Steps.java"), filepath.Join(sources, class+".java"),
		}, home: r.dir}.mustRun(t)
		// HttpURLConnection only sends WebDAV's methods if this package is open.
		return script("java", "--add-opens=java.base/java.net=ALL-UNNAMED", "-cp", path, class)(t, r)
	}
}

// monoSteps compiles Steps.cs and runs it.
func monoSteps(t *testing.T, r labRun) []string {
	t.Helper()
	program := filepath.Join(r.dir, "steps.exe")
	client{name: "mcs", args: []string{
		"-r:System.Net.Http.dll", "-out:" + program, filepath.Join("testdata", "lab", "Steps.cs"),
	}, home: r.dir}.mustRun(t)
	return script("mono", program)(t, r)
}
