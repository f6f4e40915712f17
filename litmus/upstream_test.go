package litmus

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/webdav"
)

const (
	lighttpdDir  = "/usr/lib/lighttpd"
	nginxModules = "/usr/lib/nginx/modules/"
)

// upstreams are the servers that davd proxy is tested in front of. Each starts one with an
// empty share and returns its URL, which ends with a slash.
var upstreams = []struct {
	name  string
	start func(t *testing.T) string
}{
	{"Apache httpd", func(t *testing.T) string { return startUpstream(t, davConfig, apacheArgv) }},
	{"lighttpd", func(t *testing.T) string {
		return startUpstream(t, `
server.modules = ("mod_webdav")
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$share"
server.errorlog = "$dir/error.log"
server.upload-dirs = ("$dir")
webdav.activate = "enable"
webdav.sqlite-db-name = "$dir/webdav.db"
`, func(dir string) []string {
			return []string{"/usr/sbin/lighttpd", "-D", "-m", lighttpdDir, "-f", filepath.Join(dir, "config")}
		})
	}},
	{"nginx", func(t *testing.T) string {
		return startUpstream(t, `
load_module `+nginxModules+`ngx_http_dav_ext_module.so;
daemon off;
worker_processes 1;
pid $dir/pid;
events { worker_connections 256; }
http {
	access_log off;
	client_max_body_size 0;
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
	dav_ext_lock_zone zone=locks:1m;
	server {
		listen 127.0.0.1:$port;
		root $share;
		location / {
			dav_methods PUT DELETE MKCOL COPY MOVE;
			dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
			dav_ext_lock zone=locks;
			create_full_put_path on;
		}
	}
}
`, func(dir string) []string {
			return []string{nginxProgram, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", filepath.Join(dir, "config")}
		})
	}},
	{"x/net", func(t *testing.T) string {
		server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()})
		t.Cleanup(server.Close)
		return server.URL + "/"
	}},
	{"x/net below a prefix", func(t *testing.T) string {
		server := httptest.NewServer(&webdav.Handler{Prefix: "/up", FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()})
		t.Cleanup(server.Close)
		return server.URL + "/up/"
	}},
	{"davd", func(t *testing.T) string { return serve(t, "--storage", "mem").url + "/" }},
}

func apacheArgv(dir string) []string {
	return []string{apacheProgram, "-d", dir, "-f", filepath.Join(dir, "config"), "-DFOREGROUND"}
}

// startUpstream starts a server with config. In that, $dir, $share and $port stand for a
// directory of its own, the share, and the port to listen at.
func startUpstream(t *testing.T, config string, argv func(dir string) []string) string {
	t.Helper()
	dir, share, port := publicDir(t), publicDir(t), freePort(t)
	for _, each := range []string{dir, share} {
		if err := os.Chmod(each, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"config": strings.NewReplacer("$dir", dir, "$share", share, "$port", port).Replace(config), "types": "text/plain txt\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := argv(dir)
	background(t, dir, args[0], args[1:]...)
	awaitPort(t, port)
	return "http://" + net.JoinHostPort("127.0.0.1", port) + "/"
}

// proxyDiffers are the tests of litmus whose outcomes differ, with the reasons.
var proxyDiffers = map[string]string{
	"nginx, 9 delete_fragment": "nginx ignores a fragment in the request target, which is not allowed there; the proxy passes it on as a part of the name",
}

// TestProxyLitmus: litmus has the same results through davd proxy as directly, for each
// upstream.
func TestProxyLitmus(t *testing.T) {
	t.Parallel()
	for _, upstream := range upstreams {
		t.Run(upstream.name, func(t *testing.T) {
			t.Parallel()
			for _, suite := range litmusSuites {
				t.Run(suite, func(t *testing.T) {
					t.Parallel()
					direct := outcomes(t, suite, upstream.start(t))
					front := serveProxy(t, upstream.start(t), "--interim", "always", "--interim-after", "0s", "--interim-every", "1ms")
					proxied := outcomes(t, suite, front.url+"/")
					for id := range direct {
						if direct[id] != proxied[id] && proxyDiffers[upstream.name+", "+id] == "" {
							t.Errorf("%s: %q directly, %q through the proxy", id, direct[id], proxied[id])
						}
					}
					if len(direct) != len(proxied) {
						t.Errorf("%d tests directly, %d through the proxy", len(direct), len(proxied))
					}
				})
			}
		})
	}
}

// serveProxy runs davd proxy in front of upstream until the test ends.
func serveProxy(t *testing.T, upstream string, flags ...string) *server {
	t.Helper()
	return startDavd(t, append([]string{"proxy", "--addr", "127.0.0.1:0", upstream}, flags...)...)
}

// outcomes runs a suite, and returns the outcome of each test.
func outcomes(t *testing.T, suite, target string) map[string]outcome {
	t.Helper()
	dir := t.TempDir()
	run := client{name: filepath.Join(suiteDir, suite), dir: dir, home: dir, args: []string{"--htdocs", htdocsDir, target}}.ownTmp().run(t)
	got := make(map[string]outcome)
	for line := range strings.SplitSeq(strings.ReplaceAll(run.stdout+run.stderr, "\r", "\n"), "\n") {
		if match := testLine.FindStringSubmatch(line); match != nil {
			got[match[1]+" "+match[2]] = outcome(match[3])
		}
	}
	if len(got) == 0 {
		t.Fatalf("%s: no results\n%s%s", suite, run.stdout, run.stderr)
	}
	return got
}
