// Package access decides which principal may do what in a storage.FS.
//
// [New] returns a decorator that asks a [Policy] before each call. It takes the principal from
// the context (storage.LoginOf). A call fails with fs.ErrPermission if the principal may see the
// name but not do this. A name that the principal may not see doesn't exist: calls fail with
// fs.ErrNotExist, and listings leave it out. Both match storage.ErrRefused.
//
// # Rules
//
// A [Share] is a part of the name space. A [Rule] gives a [Subject] rights at a path of its
// share and at everything below it, unless a rule further down says otherwise. For each name and
// principal exactly one path decides: the most specific one with a rule for the principal. If
// that path has several rules that apply, one for the user wins over those for groups, groups
// (all their rights together) win over [Users], and Users win over [Anyone].
//
// A share without a rule at its root is open to all Users, and a share with {user} in its name
// to that user. No share has the collections above the shares. A principal with a name sees them
// as far as they lead to a share that the principal may see.
//
// # Links and spellings
//
// A symbolic link gives no rights: the most restrictive of the name, the links that it passes,
// and the name that they lead to counts. The same is true of spellings. A rule also restricts
// all names that some filesystem may treat as the name in the rule (storage.Fold), but it grants
// nothing to them, except that composed and decomposed characters (NFC and NFD) are the same.
// If all names of a share have the same rights, the decorator looks at nothing but the name.
//
// # Trees
//
// To remove or rename a collection, a principal needs the right at every name below it. The
// members of a copied collection are decided one by one. A tree that is built under a reserved
// name is decided by the name that it will get (storage.Staged). Other reserved names belong to
// the server, and are not restricted: whoever passes names of clients to the decorator must
// refuse those that storage.Reserved recognises.
package access
