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
//   - lftp, which mirrors a share by its HTML index: each file must arrive whole.
//   - The matrix: programs that each do a COPY, GET, PROPFIND, MOVE, DELETE and
//     GET that take longer than their time-out, and proxies with curl before and
//     davd behind them. Each cell is what is expected of the program, failures
//     included: where a program fails without the cap that davd has for it, the
//     matrix says so, and the cell fails on the day that it no longer does.
//   - Readers: each client lists one tree that is hard to list; what it shows
//     otherwise by its own fault is in its table, with the reason. Golden
//     multi-statuses of that tree are in testdata/readers; -update rewrites them.
//   - The status page: Chromium, driven by puppeteer-core, watches operations,
//     stops them and sees them end.
//
// Between each of these clients, but for the matrix, and davd stands a proxy that
// passes every byte on and keeps a record of each exchange: how many interim
// responses there were, and what the final one was. Tests rely on that, not on
// what davd says of itself. For the matrix davd's log tells whether there were any.
//
// The programs are found by .ci/deps; a missing one fails the run. With the flag
// -lab all rows of the matrix run, with what .ci/lab has found besides; a row whose
// program is missing says that it was not run. What the machine does not permit, a
// mount say, is not run: it is skipped with the reason, which stands in the summary
// at the end of the run too.
package litmus
