package litmus

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	python       = "/usr/bin/python3"
	debianPython = "/usr/lib/python3/dist-packages/"
	debianPerl   = "/usr/share/perl5/"
	mono         = "/usr/lib/mono/4.5/"
	// A package's file in this directory shows that it is installed.
	debianFiles = "/var/lib/dpkg/info/"
)

// labLibraries are the rows of HTTP libraries: one for each that many programs use. The steps are
// in testdata/lab. A library that sends no User-Agent has no product.
var labLibraries = []labClient{
	{
		name: "Python http.client", needs: []string{python}, version: printed(python, "--version"),
		run: script(python, "-B", "http_client.py"), auto: labWithout, always: labFails + "COPY 102", timeout: "no", askTimeout: true,
	},
	{
		name: "Python requests", needs: []string{python, debianPython + "requests"}, version: packaged("python3-requests"), product: "python-requests",
		run: script(python, "-B", "requests_session.py"), auto: labWithout, always: labFails + "COPY 102", timeout: "no", askTimeout: true,
	},
	{
		name: "Python httpx", needs: []string{python, debianPython + "httpx"}, version: packaged("python3-httpx"), product: "python-httpx",
		run: script(python, "-B", "httpx_client.py"), auto: labWith, always: labWith, timeout: "yes",
	},
	{
		name: "Python aiohttp", needs: []string{python, debianPython + "aiohttp"}, version: packaged("python3-aiohttp"), product: "aiohttp",
		run: script(python, "-B", "aiohttp_session.py"), auto: labWith, always: labWith, timeout: "yes",
	},
	{
		name: "Perl LWP", needs: []string{"perl", debianPerl + "LWP.pm"}, version: packaged("libwww-perl"), product: "libwww-perl",
		run: script("perl", "lwp.pl"), auto: labWithout, always: labFails + "COPY 102", timeout: "no", askTimeout: true,
	},
	{
		name: "PHP http streams", needs: []string{"php"}, version: printed("php", "--version"),
		run: script("php", "streams.php"), auto: labWithout, always: labFails + "COPY 102", timeout: "no", askTimeout: true,
	},
	{
		name: "PHP curl", needs: []string{"php", debianFiles + "php-curl.list"}, version: printed("php", "--version"),
		run: script("php", "curl.php"), auto: labWithout, always: labWith, timeout: "no", askTimeout: true,
	},
	{
		name: "Ruby Net::HTTP", needs: []string{"ruby"}, version: printed("ruby", "--version"), product: "Ruby",
		run: script("ruby", "net_http.rb"), auto: labWith, always: labWith, timeout: "yes",
	},
	{
		name: "Node fetch", needs: []string{"node"}, version: printed("node", "--version"), product: "node",
		run: script("node", "fetch.mjs"), auto: labWith, always: labWith, timeout: "no",
	},
	{
		name: "npm webdav", needs: []string{"node", npmWebdav}, version: npmVersion, product: "node-fetch",
		run: script("node", "webdav.mjs", npmWebdav), auto: labWith, always: labWith, timeout: labNone,
	},
	{
		name: "Java HttpClient", needs: []string{"javac", "java"}, version: printed("java", "--version"), product: "Java-http-client",
		run: javaSteps("JdkClient"), auto: labWith, always: labFails + "COPY ProtocolException Too many interim responses", timeout: "no",
	},
	{
		name: "Java HttpURLConnection", needs: []string{"javac", "java"}, version: printed("java", "--version"), product: "Java",
		run: javaSteps("UrlConnection"), auto: labWithout, always: labFails + "COPY SocketTimeoutException Read timed out", timeout: "no", askTimeout: true,
	},
	{
		name: "Apache HttpClient 4", needs: append([]string{"javac", "java"}, apache4...), version: packaged("libhttpclient-java"), product: "Apache-HttpClient",
		run: javaSteps("HttpClient4", apache4...), auto: labWith, always: labWith, timeout: "yes",
	},
	{
		name: "Apache HttpClient 5", needs: append([]string{"javac", "java"}, apache5...), version: packaged("libhttpclient5-java"), product: "Apache-HttpClient",
		run: javaSteps("HttpClient5", apache5...), auto: labWith, always: labWith, timeout: "yes",
	},
	{
		name: "Go net/http of Go 1.23", needs: []string{goSteps123}, version: builtWith(goSteps123), product: "Go-http-client",
		run: script(goSteps123), auto: labWith, always: labFails + "COPY too many 1xx informational responses", timeout: "no",
	},
	{
		name: "Go net/http of davd's Go", needs: []string{goSteps}, version: builtWith(goSteps), product: "Go-http-client",
		run: script(goSteps), auto: labWith, always: labWith, timeout: "no",
	},
	{
		name: ".NET HttpClient of Mono", needs: []string{"mcs", "mono", mono + "System.Net.Http.dll"}, version: printed("mono", "--version"),
		run: monoSteps, auto: labWithout, always: labFails + "COPY TaskCanceledException", timeout: "no", askTimeout: true,
	},
	{
		name: "Rust reqwest", needs: []string{rustSteps}, version: packaged("librust-reqwest-dev"),
		run: script(rustSteps), auto: labWithout, always: labWith, timeout: "no", askTimeout: true,
	},
}

// Debian's jars, with those that they need.
var (
	apache4 = []string{jars + "httpclient.jar", jars + "httpcore.jar", jars + "commons-logging.jar", jars + "commons-codec.jar"}
	apache5 = []string{jars + "httpclient5.jar", jars + "httpcore5.jar", jars + "httpcore5-h2.jar", jars + "slf4j-api.jar"}
)

const jars = "/usr/share/java/"

// .ci/lab builds these programs.
var (
	goSteps    = filepath.Join(labBin, "local", "steps")
	goSteps123 = filepath.Join(labBin, "go1.23.12", "steps")
	rustSteps  = filepath.Join(labBin, "rust", "steps")
)

// npmWebdav is the path of the module webdav, which Node imports.
var npmWebdav = filepath.Join(labBin, "node_modules/webdav/dist/node/index.js")

func npmVersion(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(labBin, "node_modules/webdav/package.json"))
	if err != nil {
		t.Fatal(err)
	}
	return firstNumber(string(text))
}
