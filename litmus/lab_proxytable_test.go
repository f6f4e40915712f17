package litmus

import "path/filepath"

const (
	nginxProgram    = "/usr/sbin/nginx"
	apacheProgram   = "/usr/sbin/apache2"
	haproxyProgram  = "/usr/sbin/haproxy"
	lighttpdProgram = "/usr/sbin/lighttpd"
	squidProgram    = "/usr/sbin/squid"
	atsProgram      = "/usr/bin/traffic_server"
	varnishProgram  = "/usr/sbin/varnishd"
	caddyProgram    = "/usr/bin/caddy"
)

var newCaddy = filepath.Join(labBin, "caddy")

// nginx treats a 102 as the final response, and everything after it as the body, up to the end of
// the connection to davd. If that connection is kept alive, it does not end, and the client waits.
// If it is not, the client receives the real final response as that body, and this is the answer
// that it waits for.
const (
	nginxKept  = `proxy_http_version 1.1; proxy_set_header Connection "";`
	nginxHangs = labFails + "COPY 000 Operation timed out"
)

var labProxies = []labProxy{
	{
		name: "nginx, HTTP/1.0 to davd", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"), config: nginxConfig("", ""), argv: nginxArgv,
		auto: labWithout, asked: labWithout, always: labWithout, timeout: "no", origin: leadBack, quick: true,
	},
	{
		name: "nginx, HTTP/1.1 to davd, not kept alive", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig("", "proxy_http_version 1.1;"), argv: nginxArgv,
		auto: labWith, asked: labWith, always: labWith, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "yes", origin: leadBack,
	},
	{
		name: "nginx, HTTP/1.1 to davd", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig("", nginxKept), argv: nginxArgv,
		auto: nginxHangs, asked: nginxHangs, always: nginxHangs, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no", origin: leadBack,
	},
	{
		name: "nginx, HTTP/1.1 to davd, with X-Forwarded-For", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig("", nginxKept+" proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"), argv: nginxArgv,
		auto: labWithout, asked: labWithout, always: nginxHangs, davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no", origin: leadBack,
	},
	{
		name: "nginx, HTTP/2, HTTP/1.0 to davd, with Host and X-Forwarded-…", needs: []string{nginxProgram}, version: printed(nginxProgram, "-v"),
		config: nginxConfig(nginxFront, nginxTold), argv: nginxArgv, http2: true,
		auto: labWithout, asked: labWithout, always: labWithout, timeout: "no", origin: leadFinal,
	},
	{
		name: "Apache httpd", needs: []string{apacheProgram, apacheModules + "mod_proxy_http.so"}, version: printed(apacheProgram, "-v"), config: apacheConfig,
		argv: []string{apacheProgram, "-d", "$dir", "-f", "$config", "-DFOREGROUND"},
		auto: labWithout, asked: labWithout, always: labFails + "COPY 502", davd: []string{"--interim-proxy", "apache"}, declared: labWith, timeout: "yes", origin: leadAll, quick: true,
	},
	{
		name: "Apache httpd, HTTP/2, with X-Forwarded-Proto", needs: []string{apacheProgram, apacheModules + "mod_http2.so"}, version: printed(apacheProgram, "-v"),
		config: apacheFront, argv: []string{apacheProgram, "-d", "$dir", "-f", "$config", "-DFOREGROUND"}, http2: true,
		auto: labWithout, asked: labWithout, always: labFails + "COPY 502", davd: []string{"--interim-proxy", "apache"}, declared: labWith, timeout: "yes", origin: leadAll,
	},
	{
		name: "HAProxy", needs: []string{haproxyProgram}, version: printed(haproxyProgram, "-v"), config: haproxyConfig("", ""),
		argv: []string{haproxyProgram, "-db", "-f", "$config"},
		auto: labWith, asked: labWith, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll,
	},
	{
		name: "HAProxy, with X-Forwarded-For", needs: []string{haproxyProgram}, version: printed(haproxyProgram, "-v"), config: haproxyConfig("", "option forwardfor"),
		argv: []string{haproxyProgram, "-db", "-f", "$config"},
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll, quick: true,
	},
	{
		name: "HAProxy, HTTP/2, with X-Forwarded-…", needs: []string{haproxyProgram}, version: printed(haproxyProgram, "-v"), config: haproxyConfig(haproxyFront, haproxyTold),
		argv: []string{haproxyProgram, "-db", "-f", "$config"}, http2: true,
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll,
	},
	{
		name: "lighttpd", needs: []string{lighttpdProgram}, version: printed(lighttpdProgram, "-v"), config: lighttpdConfig,
		argv: []string{lighttpdProgram, "-D", "-f", "$config"},
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll, late: true,
	},
	{
		name: "Squid", needs: []string{squidProgram}, version: printed(squidProgram, "-v"), config: squidConfig,
		argv: []string{squidProgram, "-N", "-f", "$config"},
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "no", origin: leadAll,
	},
	{
		name: "Apache Traffic Server", needs: []string{atsProgram}, version: printed(atsProgram, "--version"), config: "map / http://127.0.0.1:$upstream/\n", argv: atsArgv,
		auto: labWithout, asked: labWithout, always: labFails + "COPY 102 Operation timed out", davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no", origin: leadBack,
	},
	{
		name: "Varnish, return (pass)", needs: []string{varnishProgram}, version: printed(varnishProgram, "-V"), config: varnishConfig("sub vcl_recv { return (pass); }"), argv: varnishArgv,
		auto: labWithout, asked: labWithout, always: labFails + "COPY 503", davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no", origin: leadFinal,
	},
	{
		name: "Varnish, its own rules", needs: []string{varnishProgram}, version: printed(varnishProgram, "-V"), config: varnishConfig(""), argv: varnishArgv,
		auto: labWithout, asked: labWithout, always: labFails + "DELETE 503", davd: []string{"--interim", "never"}, declared: labWithout, timeout: labNone, origin: leadFinal,
	},
	{
		name: "Caddy of Debian 12", needs: []string{caddyProgram}, version: printed(caddyProgram, "version"), config: caddyConfig, argv: caddyArgv(caddyProgram),
		auto: labWithout, asked: labWithout, always: labFails + "COPY 502", davd: []string{"--interim", "never"}, declared: labWithout, timeout: "no", origin: leadFinal,
	},
	{
		name: "Caddy, newest", needs: []string{newCaddy}, version: goModule(newCaddy), config: caddyConfig, argv: caddyArgv(newCaddy),
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "no", origin: leadAll,
	},
	{
		name: "Caddy, newest, HTTP/2", needs: []string{newCaddy}, version: goModule(newCaddy), config: caddyFront, argv: caddyArgv(newCaddy), http2: true,
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "no", origin: leadAll,
	},
	{
		name: "nghttpx", needs: []string{nghttpxProgram}, version: printed(nghttpxProgram, "--version"), config: nghttpxPlain, argv: nghttpxArgv,
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll,
	},
	{
		name: "nghttpx, HTTP/2, with Forwarded", needs: []string{nghttpxProgram}, version: printed(nghttpxProgram, "--version"), config: nghttpxFront, argv: nghttpxArgv, http2: true,
		auto: labWithout, asked: labWithout, always: labWith, davd: []string{"--interim-proxy", "pass"}, declared: labWith, timeout: "yes", origin: leadAll,
	},
}

var nginxArgv = []string{nginxProgram, "-p", "$dir", "-e", "$dir/error.log", "-c", "$config"}

// nginxConfig returns a configuration with the parameters listen after the address, and the
// directives more in the location that forwards.
func nginxConfig(listen, more string) string {
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
		listen 127.0.0.1:$port` + listen + `;
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

// apacheBase is the common beginning of all configurations of Apache httpd. It puts files in $dir
// and listens at $port.
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

// haproxyConfig returns a configuration with the parameters bind after the address, and the
// directives more in the frontend.
func haproxyConfig(bind, more string) string {
	return `
defaults
	mode http
	timeout connect 5s
	timeout client 120s
	timeout server $timeouts
frontend lab
	` + more + `
	bind 127.0.0.1:$port` + bind + `
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

// atsArgv sets records of Debian's configuration with variables of the environment. $config is its
// remap.config.
var atsArgv = []string{
	"env", "PROXY_CONFIG_LOCAL_STATE_DIR=$dir", "PROXY_CONFIG_LOG_LOGFILE_DIR=$dir", "PROXY_CONFIG_URL_REMAP_FILENAME=$config",
	"PROXY_CONFIG_HTTP_CACHE_HTTP=0", "PROXY_CONFIG_HTTP_SERVER_PORTS=$port:ip-in=127.0.0.1",
	"PROXY_CONFIG_HTTP_TRANSACTION_NO_ACTIVITY_TIMEOUT_OUT=$timeout", atsProgram,
}

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

var (
	caddyConfig = caddySite("http://127.0.0.1:$port", "")
	caddyFront  = caddySite("https://127.0.0.1:$port", "tls $dir/cert.pem $dir/key.pem")
)

// caddySite returns a configuration of a site at address, with the directives first before it
// forwards.
func caddySite(address, first string) string {
	return `
{
	admin off
	auto_https off
	servers {
		protocols h1 h2
	}
}
` + address + ` {
	bind 127.0.0.1
	` + first + `
	reverse_proxy 127.0.0.1:$upstream {
		transport http {
			response_header_timeout $timeouts
		}
	}
}
`
}
