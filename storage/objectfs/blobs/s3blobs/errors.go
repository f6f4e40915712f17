package s3blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/davd/davd/storage"
)

// The codes of errors that mean more than that the store can't be used.
var (
	missingCodes = [...]string{"NoSuchKey", "NotFound", "NoSuchUpload"}
	fullCodes    = [...]string{"XMinioStorageFull", "InsufficientStorage", "InsufficientCapacity"}
	quotaCodes   = [...]string{"QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "ServiceQuotaExceeded"}
	tooLarge     = [...]string{"EntityTooLarge"}
)

// failed returns the error that err of a request means.
func (s *Store) failed(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: s.identity + key, Err: meaning(ctx, err)}
}

func meaning(ctx context.Context, err error) error {
	switch code, status := codeOf(err); {
	case slices.Contains(missingCodes[:], code), code == "" && status == http.StatusNotFound:
		return fs.ErrNotExist
	case slices.Contains(quotaCodes[:], code):
		return fmt.Errorf("%s: %w", code, errQuota)
	case slices.Contains(fullCodes[:], code), status == http.StatusInsufficientStorage:
		return fmt.Errorf("%s: %w", code, syscall.ENOSPC)
	case slices.Contains(tooLarge[:], code):
		return syscall.EFBIG
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return unavailable(err)
}

// unavailable is the error of a store that can't be used at present. A wrong configuration leads
// here as well, since the operator can repair it. The caller doesn't get err itself, which may match
// fs.ErrNotExist.
func unavailable(err error) error {
	return fmt.Errorf("%w: %s", storage.ErrUnavailable, explain(err))
}

// codeOf returns the code and the status of an answer, "" and 0 without one.
func codeOf(err error) (code string, status int) {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = res.HTTPStatusCode()
	}
	return code, status
}
