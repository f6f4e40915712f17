package litmus

// A docsPage is what a page in docs/ takes for granted.
type docsPage struct {
	// home says that the server of docs/home.md is running.
	home bool
	// setup comes first. before has what happens before a block with that first line. check
	// comes last, and fails if the commands have not done what the page says.
	setup  string
	before map[string]string
	check  string
}

// pages are the pages in docs/ with something that TestPages runs.
var pages = map[string]docsPage{
	"backends.md": {setup: sftpServer, check: "test \"$(davd get http://127.0.0.1:8080/hello.txt -)\" = hello"},
	"configuration.md": {
		setup: "mkdir -p /srv/photos /srv/home /srv/handbook /srv/inbox /srv/sales\n" + certificate("/etc/davd/key.pem", "/etc/davd/cert.pem", "nas"),
		before: map[string]string{"$ davd reload --config davd.yaml": `cp -p family.yaml davd.yaml
davd serve --config davd.yaml
echo 'log-level: debug' >>davd.yaml
sed -i 's/^addr: :8443/addr: :9443/; s/parents: write, users: read/users: read/' davd.yaml`},
	},
	"home.md": {check: `
test "$(cat /srv/home/ann/hello.txt /srv/home/bob/hello.txt /srv/shared/hello.txt | sort -u)" = hello
refused davd ls --user "bob:$(password bob)" --cacert /var/lib/davd/tls/self-signed.crt https://localhost:8443/home/ann/
refused davd put --cacert /var/lib/davd/tls/self-signed.crt /tmp/hello.txt https://localhost:8443/shared/guest.txt`},
	"metrics.md": {check: `
curl -sSf http://127.0.0.1:9100/metrics | grep -q '^davd_info'
curl -sSf http://127.0.0.1:9100/healthz
curl -sSf http://127.0.0.1:9100/readyz
refused curl -sSf http://127.0.0.1:9100/debug/pprof/`},
	"objects.md": {check: `
printf hello >hello.txt
davd put hello.txt http://localhost:8080/
test "$(davd get http://localhost:8080/hello.txt -)" = hello
stop
davd storage check --storage blobs:objects | grep -q ': 1 objects with 5 bytes'
rm objects/names.db*
davd storage rebuild --storage blobs:objects | grep -q ': 1 files have names again'`},
	"operate.md": {home: true},
	"proxies.md": {
		setup: "mkdir /srv/files",
		before: map[string]string{
			"davd serve --addr 127.0.0.1:8080 --htpasswd users --trusted-proxy 127.0.0.1/32 --interim-proxy pass /srv/files": `echo "ann:$(password ann | davd passwd)" >users`,
		},
		check: `curl -sSf -u "ann:$(password ann)" http://127.0.0.1:8080/`,
	},
	"proxy.md": {setup: proxiedServers, before: map[string]string{
		`davd proxy http://127.0.0.1:8081/remote.php/dav/ --prefix /remote.php/dav \`: certificate("key.pem", "cert.pem", "nas"),
	}, check: `
curl -sSf --cacert $work/page/cert.pem https://nas:8443/remote.php/dav/hello.txt | grep -x hello
kill $nextcloud $nas
wait $nextcloud $nas`},
	"uploads.md": {
		before: map[string]string{uploadBegins: "davd serve --addr 127.0.0.1:8080 --state mem /srv\nhead -c 300000 /dev/urandom >part1\nhead -c 1234 /dev/urandom >part2"},
		check:  "cat part1 part2 | cmp - /srv/film.mkv",
	},
	"users.md": {home: true, setup: "echo secret >/etc/davd/ldap-password\nchmod 600 /etc/davd/ldap-password\n" + certificate("$work/ldap.key", "/etc/davd/ldap-ca.pem", "ldap.example")},

	"clients/davfs2.md": {home: true, check: "cmp /etc/hostname /srv/shared/hostname.txt"},
	"clients/joplin.md": {home: true, setup: "export SSL_CERT_FILE=/var/lib/davd/tls/self-signed.crt", check: "test -d /srv/home/ann/joplin"},
	"clients/rclone.md": {home: true, check: "cmp /etc/hostname /srv/shared/hostname; cmp /var/lib/davd/tls/self-signed.crt /srv/home/ann/self-signed.crt"},
}

// uploadBegins is the first line of a block of uploads.md.
const uploadBegins = `at=$(curl -si -T part1 -H 'Upload-Complete: ?0' http://localhost:8080/film.mkv | tr -d '\r' | sed -n 's/^Location: //p')`

// certificate returns the command that makes a key and a certificate for a name.
func certificate(key, cert, name string) string {
	return "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=" + name +
		" -addext subjectAltName=DNS:" + name + " -keyout " + key + " -out " + cert + " 2>/dev/null\n"
}

// sftpServer is OpenSSH's server with a user ann.
const sftpServer = `
echo '127.0.0.1 localhost nas.example' >$work/hosts
mkdir -p /srv/photos /run/sshd # as a service of Debian does
echo hello >/srv/photos/hello.txt
chmod 755 /srv /srv/photos
cp /etc/passwd $work/passwd
echo 'ann:x:0:0::/:/bin/sh' >>$work/passwd
mount --bind $work/passwd /etc/passwd
ssh-keygen -q -t ed25519 -N '' -f /etc/davd/nas_key
ssh-keygen -q -t ed25519 -N '' -f $work/host_key
echo "[nas.example]:2222 $(cat $work/host_key.pub)" >/etc/davd/nas_hosts
printf '%s\n' 'Port 2222' "HostKey $work/host_key" 'AuthorizedKeysFile /etc/davd/nas_key.pub' 'StrictModes no' \
	'UsePAM no' 'PermitRootLogin yes' "PidFile $work/sshd.pid" 'Subsystem sftp internal-sftp' \
	'ChrootDirectory /srv' >$work/sshd_config
/usr/sbin/sshd -f $work/sshd_config`

// proxiedServers are two servers for davd proxy: a NAS at https://nas.example/dav/, and one with
// the paths of Nextcloud at port 8081.
const proxiedServers = `
echo '127.0.0.1 localhost nas nas.example' >$work/hosts
echo hello >/srv/hello.txt
davd serve --state mem --addr 127.0.0.1:8081 --prefix /remote.php/dav /srv >$work/nextcloud 2>&1 &
nextcloud=$!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=nas.example \
	-addext subjectAltName=DNS:nas.example -keyout $work/nas.key -out $work/nas.pem 2>/dev/null
davd serve --state mem --addr 127.0.0.1:443 --host nas.example --prefix /dav --tls-cert $work/nas.pem --tls-key $work/nas.key /srv >$work/nas 2>&1 &
nas=$!
export SSL_CERT_FILE=$work/nas.pem
until grep -q '^davd: serving' $work/nas && grep -q '^davd: serving' $work/nextcloud; do sleep 0.1; done`
