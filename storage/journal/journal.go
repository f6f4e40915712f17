// Package journal is the contract of a store for the records of running operations.
// Package tree writes them, and reads them after the process has died.
package journal

import "context"

// Store keeps a record of each operation that is running. Each method makes its change
// durable before it returns. All methods are safe for concurrent use.
type Store interface {
	// SaveRecord stores the record under id, and replaces an older record with that id.
	SaveRecord(ctx context.Context, id string, record []byte) error
	// DeleteRecord removes the record id. It is no error if that record does not exist.
	DeleteRecord(ctx context.Context, id string) error
	// LoadRecords returns all records, in the order they were first saved.
	LoadRecords(ctx context.Context) ([][]byte, error)
}

// UrgentStore is a [Store] that reserves space on its disk for the time when the disk is
// full.
type UrgentStore interface {
	Store
	// SaveUrgent is like SaveRecord, but may use the reserved space. It is for a DELETE,
	// which frees space, and for records that must be written after a commit point.
	SaveUrgent(ctx context.Context, id string, record []byte) error
}
