package storagetest

import "slices"

// Tier says how much depends on a check.
type Tier string

// These are the tiers.
const (
	// Required checks what every storage.FS must do. Otherwise davd loses data or gives
	// wrong answers. x/net's webdav.Dir passes them.
	Required Tier = "Required"
	// Capability checks the functions of package storage that use optional interfaces. A
	// backend without an interface passes by the fallback of the function, except for the
	// checks that no fallback can pass.
	Capability Tier = "Capability"
	// Optional checks what makes davd's answers more precise. A backend that fails one needs
	// a Deviation, and davd copes: for example, an operation stops later, or a client gets
	// a more general status.
	Optional Tier = "Optional"
)

// A check is one requirement. It gets its own storage.
type check struct {
	name string
	run  func(f *fixture)
}

func checks() []check {
	return slices.Concat(
		createChecks, contentChecks, statChecks, readdirChecks, renameChecks, removeChecks,
		nameChecks(), escapeChecks, concurrencyChecks, cancelChecks, capabilityChecks(),
	)
}

// capabilityChecks are about the capabilities.
func capabilityChecks() []check {
	return slices.Concat(copyFileChecks, replaceFileChecks, factChecks, copyMembersChecks, exchangeChecks, treeChecks)
}

// tierOf returns the tier of the check name.
func tierOf(name string) Tier {
	if tier, ok := tiers[name]; ok {
		return tier
	}
	if slices.ContainsFunc(capabilityChecks(), func(c check) bool { return c.name == name }) {
		return Capability
	}
	return Required
}

// tiers lists the checks that are not Required although they are about the five methods or
// use a capability together with them.
var tiers = map[string]Tier{
	"ConcurrentRemove": Capability, "List": Capability, "ListMissing": Capability,
	"ListDescribesInParallel": Capability, "ListWhileRemoving": Capability, "Lstat": Capability,
	"Remove": Capability, "RemoveCollectionWithMembers": Capability, "RemoveMembers": Capability,
	"RemoveMembersConcurrent": Capability, "RemoveMembersStopped": Capability, "RemoveMissing": Capability,
	"RemoveRoot": Capability, "SetTimes": Capability, "CancelledInCopyMember": Capability,

	"CancelledBefore": Optional, "CancelledInReadDir": Optional, "ErrorsCarryTheName": Optional,
	"NameWithNUL": Optional, "ParentIsFile": Optional, "ReadDirMissing": Optional,
	"RemoveMembersElsewhere": Optional, "RenameOntoItself": Optional, "StatRoot": Optional,
}
