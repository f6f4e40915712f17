package auth

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestChangedDuringLogin checks that a password that is replaced while it is checked no longer lets
// the user in, and that one whose hash alone was replaced does.
func TestChangedDuringLogin(t *testing.T) {
	for next, want := range map[string]error{"other": ErrWrong, "right": nil} {
		t.Run(next, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				accounts := func(hash, password string) map[string]Account {
					return map[string]Account{"ann": {Account: account(hash, &slow{password: password, takes: 50 * time.Millisecond})}}
				}
				u := NewUsers(accounts("old", "right"))
				d := &door{newLogins(), u}
				time.AfterFunc(25*time.Millisecond, func() { u.Set(accounts("new", next)) })
				if err := d.check(t.Context(), "ann", "right", remote); !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("error %v, want %v", err, want)
				}
			})
		})
	}
}
