package litmus

import "path/filepath"

const (
	nginxProgram    = "/usr/sbin/nginx"
	apacheProgram   = "/usr/sbin/apache2"
	haproxyProgram  = "/usr/sbin/haproxy"
	lighttpdProgram = "/usr/sbin/lighttpd"
	squidProgram    = "/usr/sbin/squid"
	varnishProgram  = "/usr/sbin/varnishd"
	caddyProgram    = "/usr/bin/caddy"
)

var newCaddy = filepath.Join(labBin, "caddy")

// nginx takes a 102 for the final response, and what follows for its body, up to
// the end of the connection to davd. Kept alive, that connection does not end:
// the client waits. Not kept alive, the final response reaches the client as that
// body, all at once, and is what it waits for.
const (
	nginxKept  = `proxy_http_version 1.1; proxy_set_header Connection "";`
	nginxHangs = labFails + "COPY 000 Operation timed out"
)

var labProxies = []labProxy{
	{
		name: "nginx, HTTP/1.0 to davd", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"), config: nginxConfig(""), argv: nginxArgv,
		auto: labWithout, asked: labWithout, always: labWithout, timeout: "no", quick: true,
	},
	{
		name: "nginx, HTTP/1.1 to davd, not kept alive", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig("proxy_http_version 1.1;"), argv: nginxArgv,
		auto: labWith, asked: labWith, always: labWith, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "yes",
	},
	{
		name: "nginx, HTTP/1.1 to davd", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig(nginxKept), argv: nginxArgv,
		auto: nginxHangs, asked: nginxHangs, always: nginxHangs, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no",
	},
	{
		name: "nginx, HTTP/1.1 to davd, with X-Forwarded-For", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig(nginxKept + " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"), argv: nginxArgv,
		auto: labWithout, asked: nginxHangs, always: nginxHangs, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no",
	},
	{
		name: "Apache httpd", needs: []string{apacheProgram, apacheModules + "mod_proxy_http.so"}, version: printed(apacheProgram, "-v"), config: apacheConfig,
		argv: []string{apacheProgram, "-d", "$dir", "-f", "$config", "-DFOREGROUND"},
		auto: labWithout, asked: labWith, always: labFails + "COPY 502", davd: []string{"--interim-proxy", "apache"}, declared: labWith, timeout: "yes", quick: true,
	},
	{
		name: "HAProxy", needs: []string{haproxyProgram}, version: printed(haproxyProgram, "-v"), config: haproxyConfig(""),
		argv: []string{haproxyProgram, "-db", "-f", "$config"},
		auto: labWith, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes",
	},
	{
		name: "HAProxy, with X-Forwarded-For", needs: []string{haproxyProgram}, version: printed(haproxyProgram, "-v"), config: haproxyConfig("option forwardfor"),
		argv: []string{haproxyProgram, "-db", "-f", "$config"},
		auto: labWithout, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", quick: true,
	},
	{
		name: "lighttpd", needs: []string{lighttpdProgram}, version: printed(lighttpdProgram, "-v"), config: lighttpdConfig,
		argv: []string{lighttpdProgram, "-D", "-f", "$config"},
		auto: labWithout, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", late: true,
	},
	{
		name: "Squid", needs: []string{squidProgram}, version: printed(squidProgram, "-v"), config: squidConfig,
		argv: []string{squidProgram, "-N", "-f", "$config"},
		auto: labWithout, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "no",
	},
	{
		name: "Varnish, return (pass)", needs: []string{varnishProgram}, version: printed(varnishProgram, "-V"), config: varnishConfig("sub vcl_recv { return (pass); }"), argv: varnishArgv,
		auto: labWithout, asked: labWithout, always: labFails + "COPY 503", davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no",
	},
	{
		name: "Varnish, its own rules", needs: []string{varnishProgram}, version: printed(varnishProgram, "-V"), config: varnishConfig(""), argv: varnishArgv,
		auto: labWithout, asked: labWithout, always: labFails + "DELETE 503", davd: []string{"--interim", "never"}, declared: labWithout, timeout: labNone,
	},
	{
		name: "Caddy of Debian 12", needs: []string{caddyProgram}, version: printed(caddyProgram, "version"), config: caddyConfig, argv: caddyArgv(caddyProgram),
		auto: labWithout, asked: labWith, always: labFails + "COPY 502", davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no",
	},
	{
		name: "Caddy, newest", needs: []string{newCaddy}, version: goModule(newCaddy), config: caddyConfig, argv: caddyArgv(newCaddy),
		auto: labWithout, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "no",
	},
}

var nginxArgv = []string{nginxProgram, "-p", "$dir", "-e", "$dir/error.log", "-c", "$config"}

func nginxConfig(more string) string {
	return `
user root;
daemon off;
worker_processes 1;
pid $dir/pid;
error_log $dir/error.log;
events {}
http {
	access_log off;
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
	server {
		listen 127.0.0.1:$port;
		location / {
			proxy_pass http://127.0.0.1:$upstream;
			proxy_read_timeout $timeouts;
			` + more + `
		}
	}
}
`
}

const apacheModules = "/usr/lib/apache2/modules/"

// apacheBase is what every configuration of Apache httpd begins with, for files
// in $dir and clients at $port.
const apacheBase = `
ServerName localhost
ServerRoot $dir
PidFile $dir/pid
Mutex file:$dir default
ErrorLog $dir/error.log
Listen 127.0.0.1:$port
LoadModule mpm_event_module ` + apacheModules + `mod_mpm_event.so
LoadModule authz_core_module ` + apacheModules + `mod_authz_core.so
`

const apacheConfig = apacheBase + `
LoadModule proxy_module ` + apacheModules + `mod_proxy.so
LoadModule proxy_http_module ` + apacheModules + `mod_proxy_http.so
User www-data
Group www-data
ProxyPass / http://127.0.0.1:$upstream/ timeout=$timeout nocanon
`

func haproxyConfig(more string) string {
	return `
defaults
	mode http
	timeout connect 5s
	timeout client 120s
	timeout server $timeouts
	` + more + `
frontend lab
	bind 127.0.0.1:$port
	default_backend davd
backend davd
	server davd 127.0.0.1:$upstream
`
}

const lighttpdConfig = `
server.modules = ("mod_proxy")
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$dir"
server.errorlog = "$dir/error.log"
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $upstream, "read-timeout" => $timeout)))
`

const squidConfig = `
http_port 127.0.0.1:$port accel defaultsite=127.0.0.1
cache_peer 127.0.0.1 parent $upstream 0 no-query no-digest originserver
http_access allow all
cache deny all
access_log none
cache_log $dir/cache.log
cache_store_log none
pid_filename $dir/pid
coredump_dir $dir
netdb_filename none
pinger_enable off
visible_hostname lab
shutdown_lifetime 1 seconds
read_timeout $timeout seconds
`

var varnishArgv = []string{varnishProgram, "-F", "-f", "$config", "-a", "127.0.0.1:$port", "-n", "$dir/varnish"}

func varnishConfig(rules string) string {
	return `
vcl 4.1;
backend davd {
	.host = "127.0.0.1";
	.port = "$upstream";
	.first_byte_timeout = $timeouts;
	.between_bytes_timeout = $timeouts;
}
` + rules + "\n"
}

func caddyArgv(program string) []string {
	return []string{program, "run", "--config", "$config", "--adapter", "caddyfile"}
}

const caddyConfig = `
{
	admin off
	auto_https off
}
http://127.0.0.1:$port {
	reverse_proxy 127.0.0.1:$upstream {
		transport http {
			response_header_timeout $timeouts
		}
	}
}
`
