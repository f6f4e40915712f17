// Package s3test runs an S3 server for tests: versitygw, in a process of its own. The program is
// a Go module of its own, which is built when a test needs it for the first time. Where it can't
// be built, tests fail.
package s3test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The credentials of every server.
const (
	AccessKey = "davd-tests"
	SecretKey = "davd-tests-secret"
	Region    = "us-east-1"
)

// Env are environment variables with the credentials.
func Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_REGION=" + Region}
}

// shared starts the server that all tests of a test binary share. It ends with the process.
var shared = sync.OnceValues(func() (*Server, error) { return launch(true) })

// Bucket returns the endpoint, such as "http://127.0.0.1:4711", and the name of a new bucket on a
// server that all tests of this test binary share. It is removed with the server.
func Bucket(tb testing.TB) (endpoint, bucket string) {
	tb.Helper()
	server, err := shared()
	if err != nil {
		tb.Fatalf("S3 server for tests: %v", err)
	}
	return server.Endpoint, server.Bucket(tb)
}

// Start starts a server for one test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	server, err := Launch()
	if err != nil {
		tb.Fatalf("S3 server for tests: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

// Bucket returns the name of a new bucket on the server.
func (s *Server) Bucket(tb testing.TB) string {
	tb.Helper()
	name, err := s.NewBucket(tb.Context())
	if err != nil {
		tb.Fatalf("S3 server for tests: %v", err)
	}
	return name
}

// NewBucket makes a bucket on the server.
func (s *Server) NewBucket(ctx context.Context) (name string, err error) {
	name = "test-" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := Client(s.Endpoint).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		return "", fmt.Errorf("making a bucket: %w%s", err, s.log())
	}
	return name, nil
}

// Client returns a plain client for the server at endpoint.
func Client(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: Region, UsePathStyle: true,
		Credentials:                aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, "")),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}
