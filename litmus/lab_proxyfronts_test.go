package litmus

// The fronts of the lab: proxies that speak HTTPS and HTTP/2 with the client, with
// the certificate and key of $dir, HTTP/1 with davd, and tell davd by which scheme
// and host they were asked.

const nghttpxProgram = "/usr/sbin/nghttpx"

// nginxFront is as nginx before 1.25.1 has it, and later ones take it, too.
const nginxFront = " ssl http2; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem"

// nginxTold has what many pages advise.
const nginxTold = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"

const haproxyFront = " ssl crt $dir/both.pem alpn h2,http/1.1"

// haproxyTold has the host as it is.
const haproxyTold = `option forwardfor
	http-request set-header X-Forwarded-Proto https`

// apacheFront adds to X-Forwarded-Host by itself, and to no X-Forwarded-Proto.
const apacheFront = apacheConfig + `
LoadModule ssl_module ` + apacheModules + `mod_ssl.so
LoadModule http2_module ` + apacheModules + `mod_http2.so
LoadModule headers_module ` + apacheModules + `mod_headers.so
SSLEngine on
SSLCertificateFile $dir/cert.pem
SSLCertificateKeyFile $dir/key.pem
Protocols h2 http/1.1
RequestHeader set X-Forwarded-Proto https
`

// The whole of what nghttpx may tell is in Forwarded (RFC 7239).
const (
	nghttpxConfig = `
backend=127.0.0.1,$upstream
backend-read-timeout=$timeouts
errorlog-file=$dir/error.log
workers=1
no-ocsp=yes
`
	nghttpxPlain = nghttpxConfig + "frontend=127.0.0.1,$port;no-tls\n"
	nghttpxFront = nghttpxConfig + `
frontend=127.0.0.1,$port
private-key-file=$dir/key.pem
certificate-file=$dir/cert.pem
add-forwarded=for,host,proto
forwarded-for=ip
strip-incoming-forwarded=yes
`
)

var nghttpxArgv = []string{nghttpxProgram, "--conf=$config"}
