package s3blobs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// The errors that an operator can repair, by the codes of servers.
const (
	wrongKey    = "the server doesn't know the access key: check AWS_ACCESS_KEY_ID, or the file with the credentials"
	wrongSecret = "the secret key is wrong: check AWS_SECRET_ACCESS_KEY, or the file with the credentials"
	wrongRegion = "the bucket is in another region: set region in its URL"
	noRight     = "the access key lacks a right for this: docs/objects.md lists those that davd needs"
	noBucket    = "the bucket doesn't exist: create it, or name another one"
	noName      = "this can't be the name of a bucket: check the URL"
	wrongClock  = "the clock of this machine is wrong, or that of the server: set it, for example with NTP"
	wrongToken  = "the session of the credentials has ended: renew them"
)

func adviceFor(code string, status int) string {
	switch code {
	case "InvalidAccessKeyId", "XAdminUserNotFound", "InvalidAccessKey":
		return wrongKey
	case "SignatureDoesNotMatch":
		return wrongSecret
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "TemporaryRedirect":
		return wrongRegion
	case "NoSuchBucket":
		return noBucket
	case "InvalidBucketName":
		return noName
	case "RequestTimeTooSkewed", "RequestExpired":
		return wrongClock
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return wrongToken
	}
	switch status {
	case http.StatusMovedPermanently:
		return wrongRegion
	case http.StatusUnauthorized, http.StatusForbidden:
		return noRight
	}
	return ""
}

// explain returns a short text for an error of a request: what the operator can do, if that is known,
// and what the server or the system has said. It contains no credentials.
func explain(err error) string {
	code, status := codeOf(err)
	if status == 0 {
		return explainSilence(err)
	}
	said := "status " + strconv.Itoa(status)
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		said = strings.TrimSuffix(api.ErrorCode()+": "+strings.TrimRight(api.ErrorMessage(), " .\n"), ": ")
	} else if broken, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		said += ", and an answer that can't be read: " + broken.Err.Error()
	}
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok && res.RequestID != "" {
		said += ", request " + res.RequestID
	}
	if advice := adviceFor(code, status); advice != "" {
		return advice + " (" + said + ")"
	}
	return said
}

// explainSilence is explain for an error without an answer of the server.
func explainSilence(err error) string {
	if sign, ok := errors.AsType[*v4.SigningError](err); ok {
		return "the request can't be signed: " + sign.Error()
	}
	if text := err.Error(); strings.Contains(text, "get credentials") {
		_, reason, _ := strings.Cut(text, "get credentials: ")
		return "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or credentials-file in the URL of the bucket (" + reason + ")"
	}
	cause := err
	if tried, ok := errors.AsType[*retry.MaxAttemptsError](err); ok {
		cause = tried.Err
	}
	if sent, ok := errors.AsType[*url.Error](cause); ok {
		cause = sent.Err
	}
	if _, ok := errors.AsType[*net.DNSError](cause); ok {
		return "the host of the endpoint isn't known: check the URL, and the name servers (" + cause.Error() + ")"
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](cause)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](cause); ok || unknown {
		return "the certificate of the endpoint isn't trusted: correct it, or name the authority's in AWS_CA_BUNDLE (" + cause.Error() + ")"
	}
	if strings.Contains(cause.Error(), "HTTP response to HTTPS client") {
		return "the endpoint has no TLS: write http:// if you want that (" + cause.Error() + ")"
	}
	if _, ok := errors.AsType[*net.OpError](cause); ok {
		return "the endpoint can't be reached: check its URL, and the network (" + cause.Error() + ")"
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return "the endpoint doesn't answer in time: check the network, and the server (" + cause.Error() + ")"
	}
	return "the answer of the endpoint broke off, or is none of S3: check its URL if this lasts (" + cause.Error() + ")"
}
