package config

import (
	"fmt"
	"io"
	"strings"
)

// exampleHead begins the example.
const exampleHead = `## Configuration of davd. Put it into /etc/davd/davd.yaml, or name it:
##
##   davd serve --config davd.yaml
##
## Each setting is here with its default. Remove the # in front of a line to change it.
## Lines with ## are comments. davd config check finds mistakes, and davd config show
## prints what is in effect.
##
## A flag counts more than a variable (DAVD_LOG_LEVEL for log-level), and that more than
## this file. Paths are relative to the directory of the file. A TIME is a number with a
## unit, such as 500ms, 20s or 1m30s. A SIZE is a number of bytes, or has a unit: B, KiB,
## MiB, GiB or TiB. A list is written as [a, b].

## Read these files as well. A setting may only be in one of them.
#include: conf.d/*.yaml
`

// exampleHash is the hash of a password that is not known to anyone.
const exampleHash = `"$2y$10$yFhDnTZ0uDRPVZt7Lz4vJewO5gk5tqvB0bQwTjvXxW0y1yqkZ3yEO"`

const exampleWidth = 88

// Example writes a complete configuration file. All settings and sections are behind a #.
func Example(w io.Writer) error {
	var b strings.Builder
	b.WriteString(exampleHead)
	title := ""
	for _, s := range New(nil).fileSettings() {
		if s.Title != title {
			title = s.Title
			fmt.Fprintf(&b, "\n## === %s ===\n", title)
		}
		b.WriteString("\n")
		comment(&b, "", s.Help)
		value := s.Default
		if value == "" && s.IsBoolFlag() {
			value = "false"
		}
		fmt.Fprintf(&b, "%s\n", strings.TrimRight("#"+s.Name+": "+value, " "))
	}
	b.WriteString("\n## === Shares ===\n\n")
	exampleShares(&b)
	b.WriteString("\n## === Users and groups ===\n\n")
	exampleUsers(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// comment writes text as a comment.
func comment(b *strings.Builder, indent, text string) {
	for _, line := range wrapped(text, exampleWidth-len(indent)-3) {
		fmt.Fprintf(b, "## %s%s\n", indent, line)
	}
}

// wrapped breaks text into lines of at most width bytes.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// exampleOf writes the keys of a section. values has their values; a key without one is a
// comment.
func exampleOf(b *strings.Builder, indent string, keys []key, values map[string]string) {
	for _, k := range keys {
		comment(b, indent, k.Help)
		switch value, has := values[k.Name]; {
		case has:
			fmt.Fprintf(b, "#%s%s: %s\n", indent, k.Name, value)
		case k.Default != "":
			fmt.Fprintf(b, "#%s%s: %s\n", indent, k.Name, k.Default)
		default:
			fmt.Fprintf(b, "##%s%s: %s\n", indent, k.Name, k.Takes)
		}
	}
}

func exampleShares(b *strings.Builder) {
	comment(b, "", "Without shares, davd serves the directory that the command line names. A share has the name at which clients see it, and these keys:")
	b.WriteString("#shares:\n#  /photos:\n")
	exampleOf(b, "    ", (&Share{}).shareKeys(nil), map[string]string{
		"id": "photos", "dir": "/srv/photos", "create": "false", "mounted": "false", "symlinks": "inside", "read-only": "false",
		"quota": "500GiB", "fsync": "never", "umask": "027",
		"rights": "{family: write, anyone: read, carol: [list, read, create]}",
		"paths":  "{/private: {family: none, ann: write}}",
	})
	b.WriteString(`## A share for each user. Only its owner has rights in it, unless you write others.
#  "/home/{user}": {dir: "/srv/home/{user}", create: true, rights: {"{user}": write}}
#  /scratch: {mem: true}
#  /nas: {sftp: sftp://davd@nas.example/volume1}
#  /manual: {zip: /srv/manual.zip}
`)
}

func exampleUsers(b *strings.Builder) {
	comment(b, "", "Users can also come from the files of htpasswd, from LDAP, or from a proxy. A user here has these keys:")
	b.WriteString("#users:\n#  ann:\n")
	exampleOf(b, "    ", (&User{}).userKeys(&file{}), map[string]string{
		"password": exampleHash, "groups": "[family]", "home": `"/home/{user}"`, "shares": "{/pictures: /photos}",
	})
	fmt.Fprintf(b, "#  carol: {password: %s}\n\n", exampleHash)
	comment(b, "", "The members of groups.")
	b.WriteString("#groups: {family: [ann]}\n\n")
	home := (&Config{}).homeKey()
	comment(b, "", home.Help)
	b.WriteString("#home: \"/home/{user}\"\n\n")
	comment(b, "", "Users and groups of a directory service.")
	b.WriteString("#ldap:\n")
	exampleOf(b, "  ", (&LDAP{}).ldapKeys(&file{}), map[string]string{
		"url": "ldaps://ldap.example", "bind-dn": "cn=davd,dc=example", "bind-password": "the-password", "base": "ou=people,dc=example",
		"group-base": "ou=groups,dc=example", "start-tls": "false",
	})
	b.WriteString("\n")
	comment(b, "", "Users that a proxy has authenticated. It must be in trusted-proxy.")
	b.WriteString("#user-header:\n")
	exampleOf(b, "  ", (&UserHeader{}).headerKeys(), map[string]string{"name": "X-Remote-User", "groups-header": "X-Remote-Groups"})
}
