package s3blobs_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// TestExplained checks that an error says what the operator can do, for what servers and the system say.
func TestExplained(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	for _, tt := range []struct{ code, want string }{
		{"RequestTimeTooSkewed", "the clock of this machine is wrong"},
		{"InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"},
		{"SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"},
		{"AccessDenied", "the access key lacks a right"},
		{"PermanentRedirect", "set region"},
		{"ExpiredToken", "renew them"},
		{"", "the access key lacks a right"},
	} {
		t.Run(tt.code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(http.StatusForbidden)
				_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>Something is wrong.</Message><RequestId>R1</RequestId></Error>", tt.code)
			}))
			t.Cleanup(server.Close)
			wantsExplained(t, s3blobs.Options{Endpoint: server.URL, Bucket: bucket}, tt.want)
		})
	}
	for name, tt := range map[string]struct {
		o    s3blobs.Options
		want string
	}{
		"no server": {s3blobs.Options{Endpoint: "http://127.0.0.1:1", Bucket: bucket}, "the endpoint can't be reached"},
		"no bucket": {s3blobs.Options{Endpoint: endpoint, Bucket: "missing"}, "the bucket doesn't exist: create it"},
		"no TLS":    {s3blobs.Options{Endpoint: strings.Replace(endpoint, "http:", "https:", 1), Bucket: bucket}, "write http://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantsExplained(t, tt.o, tt.want)
		})
	}
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		for want, o := range map[string]s3blobs.Options{
			"the section other is missing":  {Bucket: bucket, CredentialsFile: credentialsFile(t), Profile: "other"},
			"the file with the credentials": {Bucket: bucket, CredentialsFile: credentialsFile(t) + "x"},
		} {
			if _, err := s3blobs.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
}

func wantsExplained(t *testing.T, o s3blobs.Options, want string) {
	t.Helper()
	err := open(t, o).Check(t.Context())
	if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), s3test.SecretKey) {
		t.Errorf("%v, want %q", err, want)
	}
}
