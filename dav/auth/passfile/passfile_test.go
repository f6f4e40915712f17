package passfile

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// hashes were created by other programs: crypt(3), openssl passwd and the reference
// implementation of argon2.
var hashes = []struct{ kind, password, hash string }{
	{"bcrypt", "secret", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
	{"bcrypt, UTF-8", "sëcret", "$2y$04$abcdefghijklmnopqrstuuNVKWW8p0KMWfojSAUrOBbzWlr9HJiFS"},
	{"argon2id", "password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
	{"argon2i", "password", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"},
	{"SHA-256 crypt", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
	{"SHA-512 crypt", "Hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
	{"SHA-512 crypt, rounds", "secret", "$6$rounds=1000$saltstring$2BkAo106CG84raQcWpAlhyy6TSSkAsL1nfvBCoezLYyerUzY2l8axTvq6NynEt7SQAx3/cdop9ds0po8uaeHq0"},
	{"apr1", "secret", "$apr1$saltstri$tviOvVZIaS7zgFryeR8bE1"},
	{"MD5 crypt", "secret", "$1$saltstri$WHZcnT3IOdSrMvizOq7Ht1"},
	{"SHA", "secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="},
	{"SSHA", "secret", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0"},
}

func TestHashes(t *testing.T) {
	for _, tt := range hashes {
		t.Run(tt.kind, func(t *testing.T) {
			accounts, damaged := Parse("users", []byte("ann:"+tt.hash))
			if damaged != nil {
				t.Fatal(damaged)
			}
			matcher := accounts["ann"].Matcher
			if !matcher.MatchesPassword(tt.password) {
				t.Error("the password is refused")
			}
			for _, wrong := range []string{"", "x", tt.password + "x", tt.password[1:], strings.ToUpper(tt.password), tt.hash} {
				if matcher.MatchesPassword(wrong) {
					t.Errorf("%q is accepted", wrong)
				}
			}
			// A truncated hash is damaged, or verifying it must not panic.
			for cut := range tt.hash {
				accounts, damaged := Parse("users", []byte("ann:"+tt.hash[:cut]))
				if damaged != nil {
					continue
				}
				if accounts["ann"].Matcher.MatchesPassword(tt.password) {
					t.Errorf("%q is accepted", tt.hash[:cut])
				}
			}
		})
	}
}

func TestParse(t *testing.T) {
	const hash = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
	accounts, damaged := Parse("users", []byte("\ufeff# comment\r\n\r\nann:"+hash+"\r\n  bo b:"+hash+":a comment \n#ann:x\nzoë:"+hash))
	if damaged != nil {
		t.Fatal(damaged)
	}
	if got := slices.Sorted(maps.Keys(accounts)); !slices.Equal(got, []string{"ann", "bo b", "zoë"}) {
		t.Errorf("got %q", got)
	}
	for name, a := range accounts {
		if a.Hash != hash {
			t.Errorf("the hash of %s is %q", name, a.Hash)
		}
	}
}

func TestParseBad(t *testing.T) {
	const good = "good:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
	for _, tt := range []struct{ content, says string }{
		{good + "s3cret", "users:2: the line does not consist of a user, a colon and a hash"},
		{good + "ann:", "users:2: the line does not consist of a user, a colon and a hash"},
		{good + "\n# x\n:s3cret", "users:4: the user name is missing"},
		{good + "a\xffn:s3cret", "users:2: the user name is not UTF-8"},
		{good + "a\x00n:s3cret", "users:2: the user name contains a control character"},
		{strings.Repeat("a", 256) + ":s3cret", "users:1: the user name is longer than 255 bytes"},
		{good + "\n" + good, `users:3: the user "good" is already in line 1: remove one`},
		{good + "ann:s3cret", `users:2: user "ann": the password is in plain text`},
		{good + "ann:{PLAIN}s3cret", `users:2: user "ann": the password is in plain text`},
		{good + "ann:rl3s3cretBq2M", `users:2: user "ann": the password is in plain text, or hashed with the old crypt`},
		{good + "ann:$y$j9T$s3cret$s3cret", `users:2: user "ann": unknown kind of hash: use bcrypt`},
		{good + "ann:$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "unknown kind of hash"},
		{good + "ann:{SMD5}s3cret", "unknown kind of hash"},
		{good + "ann:{SHA}s3cret", "the hash is damaged: create the line again"},
		{good + "ann:{SHA}s3cret==", "the hash is damaged"},
		{good + "ann:{SSHA}s3cret==", "the hash is damaged"},
		{good + "ann:$2y$99$s3cretghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "the hash is damaged"},
		{good + "ann:$2y$31$s3cretghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "a cost of more than 17"},
		{good + "ann:$6$rounds=10$s3cret$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "the hash is damaged"},
		{good + "ann:$6$s3cret", "the hash is damaged"},
		{good + "ann:$apr1$s3cret", "the hash is damaged"},
		{good + "ann:$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "the hash is damaged"},
		{good + "ann:$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "the hash is damaged"},
		{good + "ann:$argon2id$v=19$m=256,t=2,p=300$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "the hash is damaged"},
		{good + "ann:$argon2id$v=19$m=15,t=2,p=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "the hash is damaged"},
		{good + "ann:$argon2id$v=19$m=9999999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "the hash is damaged"},
		{good + "ann:$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "more than 1 GiB"},
		{good + "ann:$argon2id$v=19$m=256,t=101,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "100 passes"},
	} {
		accounts, damaged := Parse("users", []byte(tt.content))
		if len(damaged) != 1 {
			t.Errorf("%q: got %v, errors %v", tt.content, accounts, damaged)
			continue
		}
		err := damaged[0]
		if !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: got error %q, want %q", tt.content, err, tt.says)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error has the password or its hash: %v", err)
		}
		// The other users are the same as without the line.
		want := 0
		if strings.HasPrefix(tt.content, good) && !strings.HasSuffix(tt.content, good) {
			want = 1
		}
		if len(accounts) != want || want == 1 && accounts["good"].Matcher == nil {
			t.Errorf("%q: got %v", tt.content, accounts)
		}
	}
}

// TestParseDamaged checks that a damaged line only affects its own user, wherever it is.
func TestParseDamaged(t *testing.T) {
	const hash = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
	for _, tt := range []struct {
		content string
		users   []string
		damaged int
	}{
		{"ann:" + hash + "\nbob:x\nzoë:" + hash, []string{"ann", "zoë"}, 1},
		{"bob:x\nann:" + hash + "\nzoë", []string{"ann"}, 2},
		{"bob:x\nbob:" + hash + "\nann:" + hash, []string{"ann"}, 1},
		{"bob:" + hash + "\nbob:x\nann:" + hash, []string{"ann"}, 1},
		{"bob\nbob:" + hash + "\nann:" + hash, []string{"ann"}, 1},
		{"bob:" + hash + "\nann:" + hash + "\nbob:" + hash + "\nbob:" + hash, []string{"ann"}, 2},
		{"\x00\x01\x02\nann:" + hash, []string{"ann"}, 1},
		{"x", nil, 1},
		{"", nil, 0},
		{"# nothing\n\n", nil, 0},
	} {
		accounts, damaged := Parse("users", []byte(tt.content))
		if got := slices.Sorted(maps.Keys(accounts)); !slices.Equal(got, tt.users) || len(damaged) != tt.damaged {
			t.Errorf("%q: got %q, errors %v", tt.content, got, damaged)
		}
	}
}
