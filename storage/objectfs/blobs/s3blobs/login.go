package s3blobs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// defaultRegion is for servers other than Amazon's, most of which accept any.
const defaultRegion = "us-east-1"

// load loads the configuration and finds the credentials.
func load(ctx context.Context, o Options) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithDefaultRegion(defaultRegion)}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.CredentialsFile != "" {
		found, err := readCredentials(ctx, o.CredentialsFile, o.Profile)
		if err != nil {
			return aws.Config{}, err
		}
		options = append(options, config.WithCredentialsProvider(found))
	} else if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	return config.LoadDefaultConfig(ctx, options...)
}

// readCredentials reads a file in the format of ~/.aws/credentials.
func readCredentials(ctx context.Context, file, profile string) (aws.CredentialsProvider, error) {
	if profile == "" {
		profile = config.DefaultSharedConfigProfile
	}
	shared, err := config.LoadSharedConfigProfile(ctx, profile, func(l *config.LoadSharedConfigOptions) {
		l.CredentialsFiles, l.ConfigFiles = []string{file}, []string{}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	found := shared.Credentials
	if !found.HasKeys() {
		return nil, fmt.Errorf("%s: the section %s must have aws_access_key_id and aws_secret_access_key", file, profile)
	}
	return credentials.NewStaticCredentialsProvider(found.AccessKeyID, found.SecretAccessKey, found.SessionToken), nil
}

const (
	attempts   = 4 // of each request
	maxBackoff = 2 * time.Second
)

// newRetryer returns how requests are repeated. Unlike the SDK's own, it has no budget for the
// repetitions of all requests together, so no request fails because others did.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, maxBackoff
		o.RateLimiter = unlimited{}
	})
}

// unlimited is the budget of newRetryer.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }
