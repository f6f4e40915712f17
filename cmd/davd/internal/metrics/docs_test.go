package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/davd/davd/cmd/davd/internal/metrics"
)

const root = "../../../.."

var (
	name   = regexp.MustCompile(`\b(davd|process|go)_\w+`)
	suffix = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// TestDocumented: docs/metrics.md has each metric, with its labels, and no others.
func TestDocumented(t *testing.T) {
	content := read(t, "docs/metrics.md")
	documented := make(map[string]string)
	for line := range strings.Lines(content) {
		cells := strings.Split(strings.NewReplacer("`", "", " ", "").Replace(line), "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], "davd_") {
			continue
		}
		name, kind, unit := cells[1], cells[2], cells[3]
		documented[name] = cells[4]
		if (unit == "seconds") != strings.Contains(name, "seconds") || (unit == "bytes") != strings.Contains(name, "bytes") ||
			(kind == "counter") != strings.HasSuffix(name, "_total") || kind == "histogram" && unit != "seconds" {
			t.Errorf("%s is a %s with the unit %q", name, kind, unit)
		}
	}
	documented["davd_info"] = "" // a constant label
	for name, labels := range metrics.All(t) {
		if got, ok := documented[name]; !ok || got != labels {
			t.Errorf("%s has the labels %q, documented are %q", name, labels, got)
		}
		delete(documented, name)
	}
	if len(documented) > 0 {
		t.Errorf("there are no metrics %v", documented)
	}
}

// TestRules: the alert rules use metrics that exist.
func TestRules(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr, For string }
		}
	}
	content := read(t, "packaging/prometheus/davd.rules.yml")
	if err := yaml.Unmarshal([]byte(content), &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			n++
			wantMetrics(t, rule.Alert, rule.Expr)
			if rule.For == "" {
				t.Errorf("%s has no time", rule.Alert)
			}
		}
	}
	if n == 0 {
		t.Error("there are no rules")
	}
	promtool(t, "check", "rules", filepath.Join(root, "packaging/prometheus/davd.rules.yml"))
	promtool(t, "check", "config", filepath.Join(root, "packaging/prometheus/prometheus.yml"))
}

// TestDashboard: each panel has a title, a unit and queries of metrics that exist.
func TestDashboard(t *testing.T) {
	var board struct {
		Panels []struct {
			Title       string
			Targets     []struct{ Expr string }
			FieldConfig struct{ Defaults struct{ Unit string } }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "packaging/grafana/davd.json")), &board); err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	var rules strings.Builder
	rules.WriteString("groups:\n- name: panels\n  rules:\n")
	for i, panel := range board.Panels {
		if panel.Title == "" || panel.FieldConfig.Defaults.Unit == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d: %+v", i, panel)
		}
		for j, target := range panel.Targets {
			for _, used := range wantMetrics(t, panel.Title, target.Expr) {
				shown[used] = true
			}
			expr, _ := json.Marshal(strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(target.Expr))
			fmt.Fprintf(&rules, "  - record: panel:query:%d_%d\n    expr: %s\n", i, j, expr)
		}
	}
	for name := range metrics.All(t) {
		if !shown[name] && name != "davd_info" {
			t.Errorf("no panel shows %s", name)
		}
	}
	file := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// wantMetrics checks that the metrics in a query exist, and returns them.
func wantMetrics(t *testing.T, what, query string) (used []string) {
	t.Helper()
	all := metrics.All(t)
	for _, found := range name.FindAllString(query, -1) {
		found = suffix.ReplaceAllString(found, "")
		if _, ok := all[found]; !ok && strings.HasPrefix(found, "davd_") {
			t.Errorf("%s uses %s, which does not exist", what, found)
		}
		used = append(used, found)
	}
	if len(used) == 0 && !strings.Contains(query, "up{") {
		t.Errorf("%s uses no metric: %s", what, query)
	}
	return slices.Compact(used)
}

// promtool runs promtool if it is installed.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed, so queries are not parsed")
		return
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
