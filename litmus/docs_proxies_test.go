package litmus

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// proxyPages are the configurations in docs/proxies, and how they are started, as $config. Each
// program stays in the foreground.
var proxyPages = []struct{ name, start string }{
	{"nginx.conf", "nginx -c $config -g 'daemon off;'"},
	{"apache.conf", "apache2 -f $config -DFOREGROUND"},
	{"Caddyfile", "caddy run --adapter caddyfile --config $config"},
	{"haproxy.cfg", "haproxy -db -f $config"},
}

// davdLine is the command line of davd in the comments of a configuration.
var davdLine = regexp.MustCompile(`(?m)^#   (davd serve .*)$`)

const proxyPageScript = `
echo '127.0.0.1 localhost files.example.org' >$work/hosts
cp -aT /etc/ssl $work/ssl
mount --bind $work/ssl /etc/ssl
mkdir -p /var/log/nginx /var/log/apache2
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=files.example.org \
	-addext subjectAltName=DNS:files.example.org -keyout /etc/ssl/files.key -out /etc/ssl/files.pem 2>/dev/null
cat /etc/ssl/files.pem /etc/ssl/files.key >/etc/ssl/files.both.pem
mkdir -p /srv/files/src/deep
echo hello >'/srv/files/src/deep/a b%2F#.txt'
cd /srv
echo "ann:$(echo secret | davd passwd)" >users
DAVD_STATE=mem $davd >$work/davd.log 2>&1 &
server=$!
$proxy >$work/proxy.log 2>&1 &
proxied=$!
ask() { curl -sS --max-time 60 --cacert /etc/ssl/files.pem -u ann:secret -o $work/body -w '%{http_code}' "$@"; }
root=https://files.example.org
for _ in $(seq 200); do
	[ "$(ask $root/ 2>/dev/null || true)" != 200 ] || break
	sleep 0.1
done
expect() { want=$1; shift; got=$(ask "$@") || true; [ "$got" = "$want" ] || { echo "$* got $got, want $want"; cat $work/body $work/davd.log $work/proxy.log; exit 1; }; }
expect 201 -X COPY -H "Destination: $root/copy" $root/src
expect 201 -X MOVE -H "Destination: $root/moved" $root/copy
expect 200 "$root/moved/deep/a%20b%252F%23.txt"
grep -qx hello $work/body
head -c 20000000 /dev/urandom >$work/large
expect 201 -T $work/large $root/large
cmp $work/large /srv/files/large
expect 201 -X COPY -H 'Prefer: processing' -H "Destination: $root/slow" $root/src
expect 401 -u ann:wrong $root/
grep -q 'remote=127.0.0.1' $work/davd.log
kill $proxied
wait $proxied || true
kill $server
wait $server
`

// TestProxyPages starts the configurations in docs/proxies unchanged, with davd as their comments
// say, and sends requests through them.
func TestProxyPages(t *testing.T) {
	t.Parallel()
	if err := errors.Join(mountPermitted(), fuseUsable()); err != nil {
		summary.skip(t, "docs/proxies", err)
	}
	for _, page := range proxyPages {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			config, err := filepath.Abs(filepath.Join("..", "docs", "proxies", page.name))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			line := davdLine.FindStringSubmatch(string(text))
			if line == nil {
				t.Fatalf("%s does not say how to start davd", page.name)
			}
			davd := line[1]
			if page.name == "Caddyfile" { // Debian's is older than 2.7
				davd = strings.Replace(davd, "--interim-proxy pass", "--interim never", 1)
			}
			script := strings.NewReplacer("$davd", davd, "$proxy ", page.start+" ", "$config", config).Replace(proxyPageScript)
			runPage(t, pagePrologue+strings.ReplaceAll(script, "$config", config))
		})
	}
}
