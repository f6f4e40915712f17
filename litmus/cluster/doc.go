// Package cluster tests several davds over one directory, while nodes, network and database fail.
//
// Clients send requests through HAProxy, which gives each request to the next davd. Meanwhile,
// davds are killed and stopped, the database is restarted, and davds are cut off from the
// database or from HAProxy. Each davd runs in a network namespace of its own. The clients record
// what they were told, and models decide afterwards whether that can be true:
//
//   - A register is a file with its body, a dead property and a lock. The history of each
//     register must be linearizable: all requests have an order in which each answer is right,
//     and which agrees with the times at which clients sent requests and got answers.
//   - A pair is two collections that are copied, moved, replaced and removed as a whole. What
//     readers see of their members must be linearizable too, so no reader sees half a tree.
//   - Two clients never hold conflicting locks at the same time, and no request without the
//     token of a lock changes what it protects.
//   - Operations that were accepted with a 202 end, and their status document tells the truth.
//   - At the end, nothing is left over: no reserved name in the directory, no row in the
//     database that stands for an unfinished change.
//
// An answer of 5xx, or none, says nothing: the request may have been carried out, or may be
// carried out later.
//
// The tests need root, for network namespaces. Everything runs in a namespace of the test's own,
// so that nothing reaches another machine.
package cluster
