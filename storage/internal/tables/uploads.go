package tables

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/davd/davd/storage/uploads"
)

// Uploads are the uploads in parts.
type Uploads struct{ db Database }

var _ uploads.Store = (*Uploads)(nil)

// NewUploads returns those of a database.
func NewUploads(db Database) *Uploads { return &Uploads{db} }

// upload is the record of a session in JSON. Text encodes the texts, which may consist of any bytes.
type upload struct {
	Owner    string              `json:"owner"`
	Client   string              `json:"client"`
	Asked    string              `json:"asked"`
	Name     string              `json:"name"`
	Stage    string              `json:"stage"`
	Header   map[string][]string `json:"header,omitempty"`
	Offset   int64               `json:"offset"`
	Length   int64               `json:"length"`
	Placing  bool                `json:"placing,omitempty"`
	Complete bool                `json:"complete,omitempty"`
	Expires  time.Time           `json:"expires"`
}

func mapHeader(header map[string][]string, f func(string) string) map[string][]string {
	if len(header) == 0 {
		return nil
	}
	mapped := make(map[string][]string, len(header))
	for name, values := range header {
		for _, value := range values {
			mapped[name] = append(mapped[name], f(value))
		}
	}
	return mapped
}

// AllUploads implements [uploads.Store].
func (u *Uploads) AllUploads(ctx context.Context) (all []uploads.Session, err error) {
	err = Each(ctx, u.db.Reader(), func(rows Rows) error {
		var (
			id     string
			record []byte
			r      upload
		)
		if err := rows.Scan(&id, &record); err != nil {
			return err
		}
		if err := json.Unmarshal(record, &r); err != nil {
			return err
		}
		all = append(all, uploads.Session{
			ID: id, Owner: Untext(r.Owner), Client: Untext(r.Client), Asked: Untext(r.Asked), Name: Untext(r.Name), Stage: Untext(r.Stage),
			Header: http.Header(mapHeader(r.Header, Untext)), Offset: r.Offset, Length: r.Length,
			Placing: r.Placing, Complete: r.Complete, Expires: r.Expires.UTC(),
		})
		return nil
	}, "SELECT id, session FROM uploads ORDER BY id")
	return all, u.db.Failed("reading the uploads", err)
}

// SaveUpload implements [uploads.Store].
func (u *Uploads) SaveUpload(ctx context.Context, s uploads.Session) error {
	record, err := json.Marshal(upload{
		Owner: Text(s.Owner), Client: Text(s.Client), Asked: Text(s.Asked), Name: Text(s.Name), Stage: Text(s.Stage),
		Header: mapHeader(s.Header, Text), Offset: s.Offset, Length: s.Length,
		Placing: s.Placing, Complete: s.Complete, Expires: s.Expires.UTC().Truncate(time.Microsecond),
	})
	if err == nil {
		err = u.db.Change(ctx, false, func(tx Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO uploads (id, session) VALUES ($1, $2)
				ON CONFLICT (id) DO UPDATE SET session = excluded.session`, s.ID, record)
			return err
		})
	}
	return u.db.Failed("saving an upload", err)
}

// DeleteUpload implements [uploads.Store].
func (u *Uploads) DeleteUpload(ctx context.Context, id string) error {
	err := u.db.Change(ctx, true, func(tx Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM uploads WHERE id = $1", id)
		return err
	})
	return u.db.Failed("deleting an upload", err)
}
