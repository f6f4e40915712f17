// Package litmus tests the program davd with real test suites and real clients. TestMain
// builds davd once. Each test starts its own davd on a free port of the loopback interface.
//
//   - litmus, the WebDAV server protocol compliance suite, runs on each storage, with no
//     interim responses and with as many as possible. All its tests must pass.
//   - cadaver runs a session, as a person would type it at the prompt.
//   - davfs2 mounts a share. Operations that take longer than its read time-out fail without
//     interim responses and succeed with them. That is the purpose of davd.
//   - curl shows what was sent over the wire.
//   - lftp mirrors a share by its HTML index. Each file must arrive complete.
//   - The matrix runs many programs. Each does a COPY, GET, PROPFIND, MOVE, DELETE and GET,
//     which take longer than its time-out. The matrix also runs proxies between curl and
//     davd. Each cell has an expected result, which may be a failure. If a program fails
//     without davd's cap for it, the matrix says so, and the test fails when that changes.
//   - Readers are clients that list a tree that is hard to list. The table of a client has
//     the names that it shows wrongly by its own fault, with the reason. testdata/readers has
//     golden multi-statuses of that tree; -update rewrites them.
//   - In the test of the status page, Chromium, controlled by puppeteer-core, watches
//     operations, stops them and sees them end.
//   - Pages of two other origins use davd in Chromium. Only the origin that --cors-origin names
//     may.
//
// Except in the matrix, there is a proxy between each client and davd. It forwards every byte
// and records each exchange, with the number of interim responses and the final response. The
// tests rely on this record and not on what davd says about itself. In the matrix, davd's log
// shows whether interim responses were sent.
//
// .ci/deps installs the programs; if one is missing, the run fails. With the flag -lab, all
// rows of the matrix run, with the programs that .ci/lab installs; if one of these is missing,
// its row says that it was not run. Tests that the machine does not permit, because they have
// to mount something for example, are skipped. The summary at the end of the run repeats the
// reasons.
package litmus
