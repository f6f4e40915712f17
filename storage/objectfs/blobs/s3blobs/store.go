// Package s3blobs stores objects in a bucket of S3, or of a server that speaks its protocol.
//
// The name of an object in the bucket is a prefix and its key. Its Meta is the user
// metadata "davd", such as "volume=… modified=2026-11-30T12:00:00Z name=/photos/a%20b.jpg".
package s3blobs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// Options say where objects are.
type Options struct {
	// Bucket must exist. Prefix starts the names of objects there; it ends with "/" or is "".
	Bucket, Prefix string
	// Endpoint is the URL of a server other than Amazon's.
	Endpoint string
	// Region is Amazon's, or what the server expects. "" means the one of the environment.
	Region string
	// VirtualHosts makes the bucket a part of the host name, also with an Endpoint.
	VirtualHosts bool
	// CredentialsFile is a file in the format of ~/.aws/credentials, and Profile the section in it.
	// Without them, the environment, ~/.aws and the services of the machine are asked.
	CredentialsFile, Profile string
	// Memory bounds what all uploads hold at a time. Nil means DefaultMemory for this store.
	Memory *Memory
	// Observe, if not nil, is called after each request, such as "PutObject". status is 0 if there
	// was no answer. For a GetObject, took ends with the header.
	Observe func(operation string, status int, took time.Duration)
}

// Store is a store of objects in a bucket.
type Store struct {
	client         *s3.Client
	bucket, prefix string
	identity       string
	memory         *Memory
}

var _ blobs.Store = (*Store)(nil)

// Open makes a store. It sends no request to S3: see Check.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Bucket == "" {
		return nil, errors.New("the name of the bucket is missing")
	}
	if o.Memory == nil {
		o.Memory = NewMemory(DefaultMemory, DefaultSpool)
	}
	loaded, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(loaded, func(options *s3.Options) {
		if o.Endpoint != "" {
			options.BaseEndpoint = &o.Endpoint
			options.UsePathStyle = !o.VirtualHosts
		}
		options.HTTPClient = &http.Client{Transport: transport(o.Observe)}
		options.Retryer, options.Logger = newRetryer(), logging.Nop{}
		// Signatures already contain a SHA-256 of each body, and many servers know no other checksums.
		options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		options.DisableLogOutputChecksumValidationSkipped = true
	})
	host := "amazonaws.com"
	if u, err := url.Parse(o.Endpoint); err == nil && u.Host != "" {
		host = strings.ToLower(u.Host)
	}
	return &Store{
		client: client, bucket: o.Bucket, prefix: o.Prefix, memory: o.Memory,
		identity: "s3://" + host + "/" + o.Bucket + "/" + o.Prefix,
	}, nil
}

// Identity returns the host, the bucket and the prefix.
func (s *Store) Identity() string { return s.identity }

// Check checks that the bucket exists and that davd may list it. The error doesn't name the bucket.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix, MaxKeys: aws.Int32(1)})
	if err == nil {
		return nil
	}
	return meaning(ctx, err)
}

// name returns the name in the bucket of the object key.
func (s *Store) name(key string) (*string, error) {
	name := s.prefix + key
	return &name, blobs.CheckKey(key)
}

// Stat describes the object key.
func (s *Store) Stat(ctx context.Context, key string) (blobs.Object, error) {
	name, err := s.name(key)
	if err != nil {
		return blobs.Object{}, err
	}
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: name})
	if err != nil {
		return blobs.Object{}, s.failed(ctx, "stat", key, err)
	}
	return blobs.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified), Meta: decodeMeta(out.Metadata),
	}, nil
}
