// Package litmus is the lab: real suites and real clients against the real
// program davd, built once for each run of the tests and started on a free
// port of the loopback interface for each of them.
//
//   - litmus, the WebDAV server protocol compliance suite, with interim
//     responses off and with as many as can be, on each storage. What does not
//     pass is in expect.txt, with its reason.
//   - cadaver, a session of a person at its prompt.
//   - davfs2, a mounted share: what fails there without interim responses
//     because the client's read time-out is over, and succeeds with them, is
//     what davd is for.
//   - curl, which shows what came over the wire.
//
// Between each client and davd stands a proxy that passes every byte on and
// keeps a record of each exchange: how many interim responses there were, and
// what the final one was. Tests rely on that, not on what davd says of itself.
//
// The programs are found by .ci/deps; a missing one fails the run. What the
// machine does not permit, a mount say, is not run: it is skipped with the
// reason, which stands in the summary at the end of the run too.
package litmus
