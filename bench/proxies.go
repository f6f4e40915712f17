package main

import "slices"

// The reverse proxies serve the share through another nginx. They only take part if -servers
// matches them:
//
//	go run ./bench -servers 'before nginx' -run 'GET|PUT'
func davdProxy() *peer {
	return &peer{
		name: "davd before nginx", version: davdVersion, extra: true, behind: nginx(), needs: nginx().needs,
		remark: "before nginx: a reverse proxy before an nginx with dav-ext, which serves the share",
		front: func(p *place, _, addr, upstream string) ([]string, error) {
			return []string{davdBinary(p), "proxy", "http://" + upstream + "/", "--addr", addr, "--log-level", "error", "--interim", "always"}, nil
		},
	}
}

func nginxProxy() *peer {
	return &peer{
		name: "nginx before nginx", version: nginx().version, extra: true, behind: nginx(), needs: nginx().needs,
		front: func(p *place, dir, addr, upstream string) ([]string, error) {
			name, err := writeConfig(p, dir, addr, nginxProxyConfig, "$upstream", upstream)
			return []string{"/usr/sbin/nginx", "-p", dir, "-e", dir + "/error.log", "-c", name}, err
		},
	}
}

// nginxProxyConfig lets bodies through without storing them, which is faster than the default.
const nginxProxyConfig = nginxProcess + `
http {` + nginxHTTP + `
	upstream up {
		server $upstream;
		keepalive 64;
		keepalive_requests 1000000000;
	}
	server {
		listen $host:$port;
		location / {
			proxy_pass http://up;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_request_buffering off;
			proxy_max_temp_file_size 0;
		}
	}
}
`

// proxied returns the peer that serves behind a reverse proxy of this name.
func (p *peer) proxied(front string) *peer {
	behind := *p
	behind.name = front + ", upstream"
	behind.needs = slices.Clone(p.needs)
	return &behind
}
