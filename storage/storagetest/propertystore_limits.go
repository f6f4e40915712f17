package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

var propertyLimitChecks = []propertyCheck{
	{"LimitProperty", func(f *propertyFixture) {
		f.setsWithin(deadprops.Limits{Property: 100}, "/a", "p", 100, true)
		f.setsWithin(deadprops.Limits{Property: 100}, "/a", "q", 101, false)
		f.setsWithin(deadprops.Limits{Property: 100}, "/a", strings.Repeat("q", 100), 1, false)
		f.setsWithin(deadprops.Limits{}, "/b", "p", 64<<10, true)
		f.setsWithin(deadprops.Limits{}, "/b", "p", 64<<10+1, false)
		f.setsWithin(deadprops.Limits{Property: -1, Resource: -1}, "/c", "p", 2<<20, true)
	}},
	{"LimitResource", func(f *propertyFixture) {
		limits := deadprops.Limits{Resource: 3000}
		for i := range 5 {
			f.setsWithin(limits, "/a", fmt.Sprint("p", i), 900, i < 3)
		}
		f.check()
		// A resource may already have more than the limit now allows.
		limits.Resource = 1000
		f.setsWithin(limits, "/a", "p0", 899, true)
		f.setsWithin(limits, "/a", "p0", 900, false)
		f.patch("/a", unset(property("p0", "")))
		f.setsWithin(limits, "/a", "p0", 1, false)
		f.setsWithin(deadprops.Limits{}, "/b", "large", 60<<10, true)
		for i := range 20 {
			f.setsWithin(deadprops.Limits{}, "/b", fmt.Sprint("p", i), 60<<10, i < 16)
		}
	}},
	{"LimitOwner", limitOwner},
	{"LimitOwnerReopen", func(f *propertyFixture) {
		limits := deadprops.Limits{Owner: 2000}
		f.setsAs("ann", limits, "/a", "p", 1000, true)
		f.restart()
		f.setsAs("ann", limits, "/a", "q", 1000, false)
		f.setsAs("ben", limits, "/a", "q", 1000, true)
	}},
}

// setsWithin sets a property with a value of n bytes, and checks whether limits allow it.
func (f *propertyFixture) setsWithin(limits deadprops.Limits, name, local string, n int, allowed bool) {
	f.t.Helper()
	f.setsAs("", limits, name, local, n, allowed)
}

func (f *propertyFixture) setsAs(owner string, limits deadprops.Limits, name, local string, n int, allowed bool) {
	f.t.Helper()
	ctx := deadprops.WithBudget(f.ctx, deadprops.Budget{Owner: owner, Limits: limits})
	patch := set(property(local, strings.Repeat("x", n)))
	f.limited(f.Patch(ctx, name, []webdav.Proppatch{patch}), allowed)
	if allowed {
		f.want.patch(name, patch)
	}
}

// limited checks that err is nil if the call is allowed, and a LimitError otherwise.
func (f *propertyFixture) limited(err error, allowed bool) {
	f.t.Helper()
	var limit *deadprops.LimitError
	switch {
	case allowed:
		f.succeeds(err)
	case !errors.As(err, &limit) || limit.Reason == "":
		f.t.Errorf("error %v, want a LimitError with a reason", err)
	}
}

// limitOwner checks that properties count against their owner wherever they are.
func limitOwner(f *propertyFixture) {
	limits := deadprops.Limits{Owner: 10_000}
	as := func(owner string) context.Context {
		return deadprops.WithBudget(f.ctx, deadprops.Budget{Owner: owner, Limits: limits})
	}
	for i := range 4 {
		f.setsAs("ann", limits, fmt.Sprint("/a/", i), "p", 2000, true)
	}
	f.setsAs("ann", limits, "/a/x", "p", 2000, false)
	f.setsAs("ben", limits, "/a/x", "p", 2000, true)
	f.limited(f.MayCopy(as("ann"), "/a", "/b", false), false)
	f.limited(f.MayCopy(as("ann"), "/a/1", "/a/2", false), true) // It replaces the same amount.
	f.limited(f.MayCopy(as("ann"), "/a", "/b", true), true)      // /a itself has no properties.
	f.limited(f.MayCopy(as("ben"), "/a/1", "/b", false), true)
	f.limited(f.MayCopy(as("ben"), "/a", "/b", false), false)
	f.limited(f.MayCopy(f.ctx, "/a", "/b", false), true)
	// A copy belongs to the owner who makes it.
	f.succeeds(f.Copy(as("cat"), "/a", "/b", false))
	f.want.copy("/a", "/b", false)
	f.setsAs("cat", limits, "/c", "p", 1, false)
	f.move("/b", "/m")
	f.setsAs("cat", limits, "/c", "p", 1, false)
	f.move("/a", "/n")
	f.setsAs("ann", limits, "/c", "p", 2000, false)
	f.patch("/m/1", unset(property("p", "")))
	f.setsAs("cat", limits, "/c", "p", 1, true)
	// An owner who replaces a value owns it from then on.
	f.setsAs("ben", limits, "/n/1", "p", 2000, true)
	f.setsAs("ann", limits, "/c", "q", 2000, true)
	f.remove("/n")
	f.setsAs("ben", limits, "/d", "p", 9000, true)
	f.setsAs("ann", limits, "/e", "p", 7000, true)
	f.remove("/")
	f.setsAs("ann", limits, "/e", "p", 9000, true)
}
