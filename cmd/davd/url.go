package main

import (
	"net/url"
	"regexp"
	"strings"
)

func parseURL(arg string) (*url.URL, error) {
	u, err := url.Parse(arg)
	switch {
	case err != nil && badUser(arg):
		return nil, usagef("%q is not a URL: write a percent sign in its user name or password as %%25, and escape other special characters, or use --user", withoutUser(arg))
	case err != nil && strings.Contains(withoutUser(arg), "%"):
		return nil, usagef("%q is not a URL: write a percent sign in a name as %%25", withoutUser(arg))
	case err != nil:
		return nil, usagef("%q is not a URL", withoutUser(arg))
	case strings.ContainsAny(arg, "?#"):
		return nil, usagef("%s: write a question mark in a name as %%3F, a number sign as %%23", withoutUser(arg))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, usagef("%q is not a URL: write http://host/path", withoutUser(arg))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// userInfo matches the part of a URL that may hold a password. slashedUser matches
// one that contains a slash. It requires a non-digit after the colon, so that it does
// not match a host with its port.
var (
	userInfo    = regexp.MustCompile(`//[^/]*@`)
	slashedUser = regexp.MustCompile(`//[^/:@]*:[^/@]*[^/@0-9][^/@]*/[^@]*@`)
)

// badUser reports whether the user name or password makes a URL invalid. If one of them
// contains a slash, url.Parse takes the text before the slash for a host and port.
func badUser(arg string) bool {
	if _, err := url.Parse(slashedUser.ReplaceAllString(arg, "//")); err == nil && slashedUser.MatchString(arg) {
		return true
	}
	_, err := url.Parse(withoutUser(arg))
	return err == nil && userInfo.MatchString(arg)
}

// withoutUser removes the user name and password, so that arg can be shown.
func withoutUser(arg string) string {
	return userInfo.ReplaceAllString(slashedUser.ReplaceAllString(arg, "//"), "//")
}

// parseSecond parses the second argument: a path, or a URL on the same server as first.
func parseSecond(first *url.URL, arg string) (*url.URL, error) {
	if strings.HasPrefix(arg, "/") && !strings.HasPrefix(arg, "//") {
		arg = first.Scheme + "://" + first.Host + arg
	}
	second, err := parseURL(arg)
	if err != nil {
		return nil, err
	}
	if second.Scheme != first.Scheme || second.Host != first.Host {
		return nil, usagef("%s and %s are different servers: use davd get, then davd put", first.Host, second.Host)
	}
	return second, nil
}
