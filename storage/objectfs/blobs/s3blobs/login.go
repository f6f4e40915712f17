package s3blobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// defaultRegion is for servers other than Amazon's, most of which accept any.
const defaultRegion = "us-east-1"

// load loads the configuration and finds the credentials.
func load(ctx context.Context, o Options) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithDefaultRegion(defaultRegion), config.WithLogger(logging.Nop{})}
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
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if _, missing := errors.AsType[config.SharedConfigProfileNotExistError](err); missing {
		err = fmt.Errorf("the profile %s is neither in ~/.aws/config nor in ~/.aws/credentials: add it, or name another one", o.Profile)
	}
	return loaded, err
}

// readCredentials reads a file in the format of ~/.aws/credentials.
func readCredentials(ctx context.Context, file, profile string) (aws.CredentialsProvider, error) {
	if profile == "" {
		profile = config.DefaultSharedConfigProfile
	}
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("the file with the credentials: %w", err)
	}
	shared, err := config.LoadSharedConfigProfile(ctx, profile, func(l *config.LoadSharedConfigOptions) {
		l.CredentialsFiles, l.ConfigFiles = []string{file}, []string{}
	})
	if _, missing := errors.AsType[config.SharedConfigProfileNotExistError](err); missing {
		return nil, fmt.Errorf("%s: the section %s is missing: add it, or name another one with profile", file, profile)
	}
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
	attempts = 6 // of each request
	// firstBackoff is the longest pause before the second attempt. Each further one is twice as long.
	firstBackoff = 100 * time.Millisecond
)

// newRetryer returns how requests are repeated. Unlike the SDK's own, it has no budget for the
// repetitions of all requests together, so no request fails because others did.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = attempts, unlimited{}
		// An answer that breaks off can't be parsed. Every request may be repeated.
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if _, broken := errors.AsType[*smithy.DeserializationError](err); broken {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			longest := firstBackoff << min(attempt, attempts)
			return longest/2 + rand.N(longest/2), nil //nolint:gosec // no secret
		})
	})
}

// unlimited is the budget of newRetryer.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }
