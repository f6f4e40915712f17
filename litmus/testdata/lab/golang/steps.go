// Command steps does the steps of the lab with Go's net/http, in one client. Old versions of Go can
// build it, too.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

var (
	steps = map[string][]string{
		"COPY":     {"/src", "Destination", "/copied"},
		"GET":      {"/src/file%20007.txt"},
		"PROPFIND": {"/list", "Depth", "1"},
		"MOVE":     {"/moving", "Destination", "/other/moved"},
		"DELETE":   {"/deleting"},
	}
	member = regexp.MustCompile(`<(\w+:)?response[ >]`)
)

func main() {
	base, ask := os.Args[1], os.Args[3] != ""
	timeout, err := time.ParseDuration(os.Args[2] + "s")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client := &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: timeout}}
	for _, name := range os.Args[4:] {
		status, body, err := send(client, name, base, ask)
		switch {
		case err != nil:
			causes := strings.Split(err.Error(), ": ")
			fmt.Println(name, causes[len(causes)-1])
		case name == "GET":
			fmt.Println(name, status, strings.TrimSpace(body))
		case name == "PROPFIND":
			fmt.Println(name, status, len(member.FindAllString(body, -1)))
		default:
			fmt.Println(name, status)
		}
	}
}

func send(client *http.Client, name, base string, ask bool) (status int, body string, err error) {
	step := steps[name]
	request, err := http.NewRequestWithContext(context.Background(), name, base+step[0], nil)
	if err != nil {
		return 0, "", err
	}
	if len(step) > 1 {
		request.Header.Set(step[1], step[2])
	}
	if ask {
		request.Header.Set("Prefer", "processing")
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}
