package davclient

import (
	"context"
	"net/http"
)

// TransferOptions are those of Copy and Move.
type TransferOptions struct {
	// Overwrite lets what is at the destination be replaced, a collection by the
	// other as a whole; otherwise that fails with 412 (RFC 4918 §10.6).
	Overwrite bool
	// Shallow copies a collection without its members (RFC 4918 §9.8.3).
	Shallow bool
}

// Copy copies src, with its members, to dst. It reports whether there was
// nothing at dst before. With [WithFollow] in its context it is followed to its end,
// however long that takes.
func (c *Client) Copy(ctx context.Context, src, dst string, o TransferOptions) (created bool, err error) {
	return c.transfer(ctx, "COPY", src, dst, o)
}

// Move moves src, with its members, to dst. It reports whether there was
// nothing at dst before.
func (c *Client) Move(ctx context.Context, src, dst string, o TransferOptions) (created bool, err error) {
	o.Shallow = false
	return c.transfer(ctx, "MOVE", src, dst, o)
}

func (c *Client) transfer(ctx context.Context, method, src, dst string, o TransferOptions) (created bool, err error) {
	destination, err := c.Resolve(dst)
	if err != nil {
		return false, err
	}
	header := http.Header{"Destination": {destination.String()}, "Overwrite": {"F"}, "Depth": {string(DepthInfinity)}}
	if o.Overwrite {
		header.Set("Overwrite", "T")
	}
	if o.Shallow {
		header.Set("Depth", string(Depth0))
	}
	status, err := c.operate(ctx, method, src, header)
	return status == http.StatusCreated, err
}

// Delete removes ref, with its members.
func (c *Client) Delete(ctx context.Context, ref string) error {
	_, err := c.operate(ctx, http.MethodDelete, ref, http.Header{})
	return err
}

// Mkcol makes a collection. Its parent must be there (RFC 4918 §9.3).
func (c *Client) Mkcol(ctx context.Context, ref string) error {
	_, err := c.expect(ctx, "MKCOL", ref, nil, nil)
	return err
}
