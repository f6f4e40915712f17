package probe

// finding is what a verdict means, and what to do about it.
type finding struct {
	// what is what happens to interim responses.
	what string
	// davd and proxy are the settings to use; "" for none.
	davd, proxy string
}

// findings has each verdict. What is said of proxies was measured.
var findings = map[verdict]finding{
	passed: {
		what: "passed: each came as it was sent.",
		davd: "--interim-proxy pass, if a proxy stands in front: clients that are known to bear them then get them without asking.",
	},
	passedAsDeclared: {
		what: "passed: each came as it was sent, as many as this davd's --interim-proxy allows.",
	},
	swallowed: {
		what:  "swallowed: something between drops them all. That does no harm, and no good: neither progress nor a sign of life reaches the client.",
		davd:  "--interim-proxy apache behind Apache, which counts those that it drops and breaks at the tenth; else nothing. --interim never saves sending them.",
		proxy: "Apache: proxy-interim-response must not be Suppress. Any: raise the time-out for reading a response (nginx: proxy_read_timeout) above the longest operation.",
	},
	someLost: {
		what:  "lost: something between forwards a part of them.",
		davd:  "--interim never, unless you know why.",
		proxy: "raise the time-out for reading a response above the longest operation.",
	},
	heldBack: {
		what:  "held back until the end: something between collects them, and forwards them together with the final response. They do no good so; and where it has taken the first for the answer, and the rest for its content, who comes by HTTP/2 gets a PROTOCOL_ERROR. nginx does that when it speaks HTTP/1.1 with davd and keeps no connection.",
		davd:  "--interim never.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation. Any other: switch off what buffers responses, and raise its time-out for reading one.",
	},
	cutAtFirst: {
		what:  "cut at the first: something between answers with an error as soon as it gets one, though the operation goes on. Varnish does.",
		davd:  "--interim never.",
		proxy: "Varnish: return (pipe) for COPY, MOVE, DELETE and PROPFIND.",
	},
	cutAtSixth: {
		what:  "cut at the sixth: something between bears five. Proxies made with Go before 1.24 do, older ones of Caddy among them.",
		davd:  "--interim never.",
		proxy: "a newer version has no limit.",
	},
	cutAtTenth: {
		what:  "cut at the tenth: something between bears nine, and then answers with an error, though the operation goes on. Apache's mod_proxy does.",
		davd:  "--interim-proxy apache, so that nine are sent at most; --interim-every and --interim-after say when.",
		proxy: "Apache: ProxyTimeout above the longest operation, for what is left of it after the ninth.",
	},
	cut: {
		what:  "cut: something between answers with an error before the operation is done.",
		davd:  "--interim never, and probe again: if it still is cut, it is a time-out.",
		proxy: "raise the time-out for reading a response above the longest operation.",
	},
	neverAnswered: {
		what:  "never answered: something between takes the first for the final response, and the client waits for ever. nginx does when it speaks HTTP/1.1 with davd, as it does by itself from 1.29.7 on.",
		davd:  "--interim never.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation.",
	},
	broken: {
		what:  "broken: something between breaks the connection, or sends what is no response, when it gets one, though the operation goes on. nginx does (to HTTP/2: PROTOCOL_ERROR) when it speaks HTTP/1.1 with davd, as it does by itself from 1.29.7 on.",
		davd:  "--interim never, and probe again: if it still breaks, it is a time-out.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation.",
	},
	outOfStep: {
		what:  "out of step: something between takes one for the final response, and then gives a request the answer to another. Clients get the content of other files!",
		davd:  "--interim never, at once.",
		proxy: "let it speak HTTP/1.0 with davd, or use another one.",
	},
	switchedOff: {
		what: "not sent: this davd runs with --interim never.",
		davd: "--interim auto, and probe again, to find out whether they would pass.",
	},
	overHTTP10: {
		what:  "not sent: something between speaks HTTP/1.0, which has none. That is safe.",
		davd:  "nothing.",
		proxy: "raise its time-out for reading a response (nginx: proxy_read_timeout) above the longest operation.",
	},
	notAsked: {
		what:  "not sent: the request arrived without its header Prefer, so that davd did not know that they were asked for.",
		davd:  "nothing.",
		proxy: "let it pass the header Prefer.",
	},
	refused: {
		what: "not known: the server refuses the probe, which is a request to write. If it is a davd, probe as a user who may; else it can't be probed, and --method tries a real operation on any server.",
	},
	notProbed: {
		what: "not known: what has answered is no davd that can be probed. --method tries a real operation on any server.",
	},
}

func (f finding) text() string {
	text := f.what
	if f.davd != "" {
		text += "\n  davd:  " + f.davd
	}
	if f.proxy != "" {
		text += "\n  proxy: " + f.proxy
	}
	return text
}
