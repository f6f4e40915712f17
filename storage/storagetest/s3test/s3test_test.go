package s3test

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestServer(t *testing.T) {
	server := Start(t)
	bucket, key := server.Bucket(t), "a"
	put := s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("content")}
	if _, err := Client(server.Endpoint).PutObject(t.Context(), &put); err != nil {
		t.Fatal(err)
	}
	server.Restart(t)
	out, err := Client(server.Endpoint).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if content, err := io.ReadAll(out.Body); err != nil || string(content) != "content" {
		t.Errorf("%q, %v", content, err)
	}
	server.Stop(t)
	if server.answers(t.Context()) == nil {
		t.Error("the server has not stopped")
	}
}

func TestBucket(t *testing.T) {
	_, first := Bucket(t)
	endpoint, second := Bucket(t)
	if first == second {
		t.Error("the buckets are the same")
	}
	if _, err := Client(endpoint).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &second}); err != nil {
		t.Error(err)
	}
}
