package main

const apacheModules = "/usr/lib/apache2/modules/"

func apache() *peer {
	return &peer{
		name:    "Apache",
		needs:   []need{{"/usr/sbin/apache2", "apache2-bin"}, {apacheModules + "mod_dav_fs.so", "apache2-bin"}, {"/etc/mime.types", "media-types"}},
		version: printedVersion("/usr/sbin/apache2", "-v"),
		configure: func(p *place, dir, addr string) ([]string, error) {
			name, err := writeConfig(p, dir, addr, apacheConfig)
			return []string{"/usr/sbin/apache2", "-d", dir, "-f", name, "-DFOREGROUND"}, err
		},
	}
}

// apacheConfig serves with mod_dav_fs on the event MPM, Debian's default, with sendfile and
// without a limit for the requests of a connection.
const apacheConfig = `
ServerName localhost
ServerRoot $dir
PidFile $dir/pid
Mutex file:$dir default
ErrorLog $dir/error.log
LogLevel crit
Listen $host:$port
LoadModule mpm_event_module ` + apacheModules + `mod_mpm_event.so
LoadModule authz_core_module ` + apacheModules + `mod_authz_core.so
LoadModule mime_module ` + apacheModules + `mod_mime.so
LoadModule dav_module ` + apacheModules + `mod_dav.so
LoadModule dav_fs_module ` + apacheModules + `mod_dav_fs.so
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
Timeout 600
EnableSendfile On
DavLockDB $dir/locks
DocumentRoot $share
<Directory $share>
	Dav On
	DavDepthInfinity On
	Require all granted
</Directory>
`
