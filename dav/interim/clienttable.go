package interim

// curlBytes is the total length of an answer's headers at which curl fails, in bytes.
const curlBytes = 300 << 10

// knownClients is davd's own part of the table of clients. Each program was run against
// a server that sent 1 to 1,000 interim responses to a request. A program survives if
// it gets the right final response and content, and the right ones for the next request
// on the connection. A cap is below the measured limit where that may differ from build
// to build.
//
// Browsers are missing because other programs imitate their names. Programs that were
// not tested, such as Finder and Explorer, are missing too.
var knownClients = []KnownClient{
	// These take a 102 for the final response. Most of them then take the final response
	// for that of the next request.
	{Product: "python-requests", Helps: HelpNo, Source: "measured 2026-11: requests 2.28.1 fails at 1, the next answers are those of other requests; webdavclient3, easywebdav the same"},
	{Product: "python-urllib3", Helps: HelpNo, Source: "measured 2026-11: urllib3 1.26 fails at 1, the next answers are those of other requests"},
	{Product: "Python-urllib", Helps: HelpNo, Source: "measured 2026-11: urllib.request of Python 3.11 fails at 1"},
	{Product: "libwww-perl", Helps: HelpNo, Source: "measured 2026-11: LWP 6.68 fails at 1, the next answers are those of other requests"},
	{Product: "DAV.pm", Helps: HelpNo, Source: "measured 2026-11: HTTP::DAV 0.49 fails at 1"},
	{Product: "okhttp", Before: "5", Helps: HelpNo, Source: "measured 2026-11: OkHttp 3.13.1 fails at 1, the next answers are those of other requests; greenbytes/java-http-1xx-tests: 4 fails at 2"},
	{Product: "Java", Before: "21", Helps: HelpNo, Source: "measured 2026-11: HttpURLConnection of JDK 17 waits at 1 until its read time-out, and by default it has none"},
	{Product: "PHP", Helps: HelpNo, Source: "measured 2026-11: the http streams of PHP 8.2 (file_get_contents), 1 ok, 2 fail; by default they send no User-Agent. Its curl extension, 1000 ok, sends none either"},
	{Product: "PostmanRuntime", Helps: HelpNo, Source: "postmanlabs/postman-app-support#8076: it waits for ever after 1"},
	{Product: "Wget2", Helps: HelpNo, Source: "measured 2026-11: wget2 1.99.1 writes an empty file at 1"},

	{Product: "neon", Before: "0.33", Cap: 120, Helps: HelpYes, Source: "measured 2026-11: neon 0.32.5 (davfs2 1.6.1, cadaver 0.24, litmus 0.13), 127 ok, 128 fails"},
	{Product: "neon", From: "0.33", Cap: Unlimited, Helps: HelpNo, Source: "measured 2026-11: neon 0.33, 300 ok; all of them together must stay within the read time-out"},
	{Product: "gvfs", Cap: Unlimited, Helps: HelpNo, Source: "measured 2026-11: gvfs 1.50.3 on libsoup 3.2.3, 50 ok; it has no time-out to restart"},
	{Product: "libsoup", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: libsoup 2.74.3 and 3.2.3, 1000 ok"},
	{Product: "KIO", Cap: Unlimited, Source: "measured 2026-11: KIO 5.103 (kioclient5), 50 ok"},
	{Product: "curl", Cap: Unlimited, Bytes: curlBytes, Helps: HelpNo, Source: "measured 2026-11: curl 7.88.1, HTTP/1.1 and HTTP/2, 1000 ok, 300 KiB of headers fail"},
	{Product: "PycURL", Cap: Unlimited, Bytes: curlBytes, Helps: HelpNo, Source: "measured 2026-11: as curl 7.88.1"},
	{Product: "rclone", Before: "1.71", Cap: 4, Helps: HelpNo, Source: "measured 2026-11: rclone 1.60.1 (Go 1.19), 5 ok, 6 fail, a 100 counts; until 1.71 it can be built with Go before 1.24"},
	{Product: "rclone", From: "1.71", Cap: Unlimited, Helps: HelpNo, Source: "measured 2026-11: rclone 1.75.1 (Go 1.26), 50 ok; from 1.71 on its go.mod wants Go 1.24"},
	{Product: "Go-http-client", Cap: 4, Helps: HelpNo, Source: "measured 2026-11: Go 1.23.12, 5 ok, 6 fail, a 100 counts; Go 1.26.8, 1000 ok, but the User-Agent does not tell"},
	{Product: "Java-http-client", Cap: 8, Helps: HelpNo, Source: "measured 2026-11: java.net.http of JDK 17, 8 ok, 9 fail"},
	{Product: "Apache-HttpClient", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: Apache HttpClient 4.5.14 and 5.2.1, 1000 ok"},
	{Product: "python-httpx", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: httpx 0.23.3, HTTP/1.1 (1000 ok) and HTTP/2 (50 ok)"},
	{Product: "aiohttp", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: aiohttp 3.8.4 (sock_read), 1000 ok"},
	{Product: "undici", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: undici 6.24.1 and 7.30.2 (headersTimeout), 50 ok"},
	{Product: "node", Cap: Unlimited, Helps: HelpYes, Source: "measured 2026-11: fetch of Node 20.20.2 (undici 6.24.1), 50 ok"},
	{Product: "node-fetch", Cap: Unlimited, Source: "measured 2026-11: node-fetch 3.3.2, npm webdav 5.11.0, 50 ok"},
	{Product: "axios", Cap: Unlimited, Helps: HelpNo, Source: "measured 2026-11: axios 1.21.1, 50 ok"},
	{Product: "got", Cap: Unlimited, Helps: HelpNo, Source: "measured 2026-11: got 14.6.6, 50 ok"},
	{Product: "Ruby", Cap: 50, Helps: HelpYes, Source: "measured 2026-11: Net::HTTP of Ruby 3.1.2, 1000 ok; ruby/net-http#319: later ones end at 100"},
}
