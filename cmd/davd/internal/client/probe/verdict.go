package probe

// verdict says what happens to interim responses, and what to do about it.
type verdict struct {
	what string
	// davd and proxy are the recommended settings, or "".
	davd, proxy string
}

// The verdicts. The statements about proxies are from measurements.
var (
	passed = &verdict{
		what: "passed: each one arrived when it was sent.",
		davd: "--interim-proxy pass, if there is a proxy in front. Then clients that are known to understand interim responses get them without asking.",
	}
	passedAsDeclared = &verdict{
		what: "passed: each one arrived when it was sent, up to the number that this davd's --interim-proxy allows.",
	}
	swallowed = &verdict{
		what:  "swallowed: a proxy drops them all. This is harmless but useless: the client sees neither progress nor a sign of life.",
		davd:  "--interim-proxy apache behind Apache, which counts those that it drops and breaks at the tenth. Otherwise nothing. --interim never avoids sending them in vain.",
		proxy: "Apache: proxy-interim-response must not be Suppress. All: raise the time-out for reading a response (nginx: proxy_read_timeout) above the longest operation.",
	}
	someLost = &verdict{
		what:  "lost: a proxy only forwards some of them.",
		davd:  "--interim never, unless you know the reason.",
		proxy: "raise the time-out for reading a response above the longest operation.",
	}
	heldBack = &verdict{
		what:  "held back until the end: a proxy collects them and forwards them together with the final response, where they are useless. If the proxy treats the first one as the answer and the others as its content, HTTP/2 clients get a PROTOCOL_ERROR. nginx does that if it uses HTTP/1.1 with davd and does not keep connections open.",
		davd:  "--interim never.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation. Others: turn off the buffering of responses, and raise the time-out for reading one.",
	}
	cutAtFirst = &verdict{
		what:  "cut at the first: a proxy answers with an error as soon as it gets one, although the operation continues. Varnish does that.",
		davd:  "--interim never.",
		proxy: "Varnish: return (pipe) for COPY, MOVE, DELETE and PROPFIND.",
	}
	cutAtSixth = &verdict{
		what:  "cut at the sixth: a proxy accepts five. Proxies built with Go before 1.24 do that, such as older versions of Caddy.",
		davd:  "--interim never.",
		proxy: "install a newer version, which has no limit.",
	}
	cutAtTenth = &verdict{
		what:  "cut at the tenth: a proxy accepts nine and then answers with an error, although the operation continues. Apache's mod_proxy does that.",
		davd:  "--interim-proxy apache, so that davd sends at most nine; --interim-after and --interim-every say when.",
		proxy: "Apache: raise ProxyTimeout above the time that the longest operation takes after the ninth.",
	}
	cut = &verdict{
		what:  "cut: a proxy answers with an error before the operation has ended.",
		davd:  "--interim never, and probe again: if it is still cut, the cause is a time-out.",
		proxy: "raise the time-out for reading a response above the longest operation.",
	}
	neverAnswered = &verdict{
		what:  "never answered: a proxy treats the first one as the final response, and the client waits for ever. nginx does that if it uses HTTP/1.1 with davd, which is its default from 1.29.7 on.",
		davd:  "--interim never.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation.",
	}
	broken = &verdict{
		what:  "broken: when a proxy gets one, it breaks the connection or sends an invalid response, although the operation continues. nginx does that (with HTTP/2: PROTOCOL_ERROR) if it uses HTTP/1.1 with davd, which is its default from 1.29.7 on.",
		davd:  "--interim never, and probe again: if it still breaks, the cause is a time-out.",
		proxy: "nginx: proxy_http_version 1.0, and proxy_read_timeout above the longest operation.",
	}
	outOfStep = &verdict{
		what:  "out of step: a proxy treats one as the final response, and then answers each request with the answer to another one. Clients get the content of other files!",
		davd:  "--interim never, immediately.",
		proxy: "make it use HTTP/1.0 with davd, or use another proxy.",
	}
	switchedOff = &verdict{
		what: "not sent: this davd runs with --interim never.",
		davd: "--interim auto, and probe again, to find out whether they would get through.",
	}
	overHTTP10 = &verdict{
		what:  "not sent: a proxy uses HTTP/1.0, which has no interim responses. This is safe.",
		davd:  "nothing.",
		proxy: "raise its time-out for reading a response (nginx: proxy_read_timeout) above the longest operation.",
	}
	notAsked = &verdict{
		what:  "not sent: the request arrived without its Prefer header, so davd did not know that the client had asked for them.",
		davd:  "nothing.",
		proxy: "make it forward the Prefer header.",
	}
	refused = &verdict{
		what: "not known: the server refuses the probe, which is a write request. If it is a davd, probe as a user who may write. Other servers can't be probed, but --method tries a real operation on any server.",
	}
	notProbed = &verdict{
		what: "not known: the server is not a davd that can be probed. --method tries a real operation on any server.",
	}
)

func (v *verdict) text() string {
	text := v.what
	if v.davd != "" {
		text += "\n  davd:  " + v.davd
	}
	if v.proxy != "" {
		text += "\n  proxy: " + v.proxy
	}
	return text
}

// judgement returns the error for a verdict, or nil if interim responses get through.
func (v *verdict) judgement() error {
	switch v {
	case passed, passedAsDeclared:
		return nil
	case refused, notProbed:
		return ErrNotKnown
	}
	return ErrNotPassed
}
