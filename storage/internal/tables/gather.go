package tables

import "context"

// Gatherer is a Base that can make one transaction of those of several claims.
type Gatherer interface {
	// Waits reports whether ctx has a transaction that has not begun, so that it can be gathered.
	Waits(ctx context.Context) bool
	// Gather begins one transaction for all contexts, with a query. ok is false, and nothing has
	// happened, if one of them must wait for something, or needs to know more than others: then each has
	// to begin its own. A gathered transaction is committed when all its members have ended. If
	// one of them is undone, all are.
	Gather(ctx context.Context, members []context.Context, query string, args ...any) (g Gathering, rows Rows, ok bool, err error)
}

// Gathering is a transaction of several claims.
type Gathering interface {
	// Context returns ctx with the transaction.
	Context(ctx context.Context) context.Context
	// Release gives the member i its own transaction back, which has not begun. It must not have
	// changed anything.
	Release(i int)
	// Done is closed when the transaction has ended.
	Done() <-chan struct{}
}
