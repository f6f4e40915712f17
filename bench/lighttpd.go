package main

const lighttpdModules = "/usr/lib/lighttpd"

func lighttpd() *peer {
	return &peer{
		name:    "lighttpd",
		needs:   []need{{"/usr/sbin/lighttpd", "lighttpd"}, {lighttpdModules + "/mod_webdav.so", "lighttpd-mod-webdav"}},
		version: printedVersion("/usr/sbin/lighttpd", "-v"),
		remark:  "lighttpd is one process, and its COPY makes hard links: a change of one file on the server itself changes both",
		configure: func(p *place, dir, addr string) ([]string, error) {
			name, err := writeConfig(p, dir, addr, lighttpdConfig)
			return []string{"/usr/sbin/lighttpd", "-D", "-m", lighttpdModules, "-f", name}, err
		},
	}
}

const lighttpdConfig = `
server.modules = ("mod_webdav")
server.bind = "$host"
server.port = $port
server.document-root = "$share"
server.errorlog = "$dir/error.log"
server.upload-dirs = ("$dir")
server.max-keep-alive-idle = 600
server.max-keep-alive-requests = 65535
server.max-write-idle = 600
server.max-read-idle = 600
mimetype.assign = (".txt" => "text/plain", ".bin" => "application/octet-stream")
webdav.activate = "enable"
webdav.sqlite-db-name = "$dir/webdav.db"
webdav.opts = ("propfind-depth-infinity" => "enable")
`
