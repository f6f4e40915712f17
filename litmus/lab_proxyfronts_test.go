package litmus

// This file has the front proxies of the lab. They use HTTPS and HTTP/2 with the client, with the
// certificate and key in $dir, and HTTP/1 with davd. They tell davd the scheme and host of the
// client's request.

const nghttpxProgram = "/usr/sbin/nghttpx"

// nginxFront uses the syntax of nginx before 1.25.1, which later versions still accept.
const nginxFront = " ssl http2; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem"

// nginxTold has the settings that many guides recommend.
const nginxTold = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"

const haproxyFront = " ssl crt $dir/both.pem alpn h2,http/1.1"

// haproxyTold leaves the host unchanged.
const haproxyTold = `option forwardfor
	http-request set-header X-Forwarded-Proto https`

// apacheFront sets X-Forwarded-Proto. Apache itself only adds X-Forwarded-Host.
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

// nghttpx sends all that it knows about the client in Forwarded (RFC 7239).
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
