package main

const nginxDavExt = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"

func nginx() *peer {
	return &peer{
		name:    "nginx",
		needs:   []need{{"/usr/sbin/nginx", "nginx"}, {nginxDavExt, "libnginx-mod-http-dav-ext"}, {"/etc/nginx/mime.types", "nginx-common"}},
		version: printedVersion("/usr/sbin/nginx", "-v"),
		remark:  "nginx with dav-ext, two workers",
		configure: func(p *place, dir, addr string) ([]string, error) {
			name, err := writeConfig(p, dir, addr, nginxConfig)
			return []string{"/usr/sbin/nginx", "-p", dir, "-e", dir + "/error.log", "-c", name}, err
		},
	}
}

// nginxProcess and nginxHTTP are what all configurations of nginx begin with.
const (
	nginxProcess = `
daemon off;
worker_processes 2;
pid $dir/pid;
error_log $dir/error.log crit;
events { worker_connections 1024; }
`
	nginxHTTP = `
	access_log off;
	keepalive_timeout 600;
	keepalive_requests 1000000000;
	client_max_body_size 0;
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
`
)

// nginxConfig keeps temporary bodies on the filesystem of the share. Otherwise nginx would have
// to copy each of them.
const nginxConfig = `
load_module ` + nginxDavExt + `;` + nginxProcess + `
http {
	include /etc/nginx/mime.types;
	sendfile on;` + nginxHTTP + `
	server {
		listen $host:$port;
		root $share;
		location / {
			dav_methods PUT DELETE MKCOL COPY MOVE;
			dav_ext_methods PROPFIND OPTIONS;
			dav_access user:rw;
		}
	}
}
`
