package field_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"

	"github.com/davd/davd/dav/internal/field"
)

func TestParseUpload(t *testing.T) {
	missing := field.Upload{Offset: -1, Length: -1}
	for _, test := range []struct {
		name, value string
		want        field.Upload
	}{
		{field.UploadComplete, "?1", field.Upload{Complete: true, Given: true, Offset: -1, Length: -1}},
		{field.UploadComplete, "?0;x=1", field.Upload{Given: true, Offset: -1, Length: -1}},
		{field.UploadComplete, "true", missing},
		{field.UploadComplete, "1", missing},
		{field.UploadComplete, "?1, ?1", missing},
		{field.UploadOffset, "0", field.Upload{Offset: 0, Length: -1}},
		{field.UploadOffset, "999999999999999", field.Upload{Offset: 999999999999999, Length: -1}},
		{field.UploadOffset, "-1", missing},
		{field.UploadOffset, "1.0", missing},
		{field.UploadOffset, "1000000000000000", missing},
		{field.UploadOffset, "", missing},
		{field.UploadLength, "7", field.Upload{Offset: -1, Length: 7}},
		{field.UploadDraft, "8", field.Upload{Offset: -1, Length: -1, Understood: true}},
		{field.UploadDraft, "7", field.Upload{Offset: -1, Length: -1, Foreign: true}},
		{field.UploadDraft, "x", field.Upload{Offset: -1, Length: -1, Foreign: true}},
	} {
		if got := field.ParseUpload(http.Header{test.name: {test.value}}); got != test.want {
			t.Errorf("%s: %q gives %+v, want %+v", test.name, test.value, got, test.want)
		}
	}
}

// FuzzParseUpload checks that no header has a meaning that its text doesn't have.
func FuzzParseUpload(f *testing.F) {
	f.Add("?1", "12", "34", "8")
	f.Add("?0; a", "-0", "007", "8;x")
	f.Fuzz(func(t *testing.T, complete, offset, length, version string) {
		u := field.ParseUpload(http.Header{
			field.UploadComplete: {complete}, field.UploadOffset: {offset}, field.UploadLength: {length}, field.UploadDraft: {version},
		})
		if u.Offset < -1 || u.Length < -1 || u.Complete && !u.Given || u.Understood == u.Foreign {
			t.Errorf("%+v", u)
		}
	})
}

func TestFormatUploadLimit(t *testing.T) {
	for want, maxSize := range map[string]int64{"max-age=60": 0, "max-size=7, max-age=60": 7} {
		got := field.FormatUploadLimit(maxSize, time.Minute+time.Millisecond)
		if _, err := httpsfv.UnmarshalDictionary([]string{got}); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}
