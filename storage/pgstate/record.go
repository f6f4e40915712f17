package pgstate

import (
	"encoding/json"

	"github.com/davd/davd/storage/history"
)

func encodeOperation(r history.Record) (record, failures []byte, err error) {
	if failures, err = json.Marshal(r.Failures); err == nil {
		record, err = json.Marshal(r)
	}
	return record, failures, err
}

func scanOperation(scan func(columns ...any) error, others ...any) (r history.Record, err error) {
	var id, principal string
	var ended *int64
	var record []byte
	if err := scan(append([]any{&id, &principal, &ended, &record}, others...)...); err != nil {
		return r, err
	}
	err = json.Unmarshal(record, &r)
	return r, err
}

func decodeFailures(failures []byte) (list []history.Failure, err error) {
	err = json.Unmarshal(failures, &list)
	return list, err
}
